--- @meta atoms
--- The shapes of scripts, for editors. Written by scripts/stubs from lua/api.lua: change it there.

--- Who asks.
--- @class atoms.Actor
--- @field id string from the bearer's `sub`
--- @field kind "user"|"agent"|"service"
--- @field role string from the bearer
--- @field claims? { tokens?: string[] } what else the bearer says; `tokens` narrows the plan whatever it grants; absent in the actor of a command

--- Where the connection or the command comes from.
--- @class atoms.Scope
--- @field tenant_id string
--- @field mode string
--- @field project_id string
--- @field surface_id string
--- @field app_id string
--- @field run_id? string absent for `lens`: a plan does not depend on the run

--- A block, as the lens shows it.
--- @class atoms.Block
--- @field id? string absent in `atoms.ContextView`, where it is the key
--- @field kind string
--- @field parent? string absent at the root, and below a parent that is hidden
--- @field pos string its place among its siblings, in byte order; then by id
--- @field props table<string, any> without those that are redacted; empty where a transform would show them
--- @field text string empty where it is redacted, or a transform would show it
--- @field text_bytes? integer in `atoms.ContextView`, when the text was cut: of the whole
--- @field vis? string
--- @field orphan? boolean `true`, in `atoms.ContextView`, when its own parent is hidden

--- A chat message of a context; its id is the key.
--- @class atoms.Message
--- @field author { id: string, kind: "user"|"agent"|"service" }
--- @field text string
--- @field text_bytes? integer when the text was cut: of the whole
--- @field streaming boolean
--- @field end any "done", "cancelled" or "aborted"; `json.null` while it is open
--- @field reply_to? string
--- @field ts string when it began
--- @field vis? string

--- A command being judged.
--- @class atoms.Command
--- @field command_id string empty for text posted to `/v1/chat/{id}/tokens`
--- @field type string
--- @field canvas_id? string
--- @field args table<string, any> as sent; a JSON null is `json.null`
--- @field actor atoms.Actor
--- @field scope atoms.Scope

--- What the author of a command can see of the run, looked up while its hook runs, and not afterwards.
--- @class atoms.View
--- @field canvas_type? string of the command's canvas; absent when it names none that is mounted
--- @field block? fun(id: string): atoms.Block of that canvas; nil for what is not there or hidden
--- @field children fun(id: string?): string[] ids of the visible children in order, at most 4,096; without an id those at the root
--- @field token fun(key: string): any its value or its default; nil for what is not declared or hidden

--- Why a command is refused; its sender reads this.
--- @class atoms.Refusal
--- @field code string lower-case letters and `_`, at most 40: the answer's `reason`
--- @field message string
--- @field path? string where in the arguments: "/title" becomes `/args/title`

--- What a reducer asks for: `block.…` on its own canvas, or `token.set` of Tokens that its manifest declares.
--- @class atoms.Op
--- @field type string
--- @field args table<string, any>

--- Who asks for context.
--- @class atoms.ContextRequest
--- @field actor atoms.Actor
--- @field scope atoms.Scope
--- @field max_bytes integer what the answer may hold
--- @field focus? string a canvas id that matters most

--- The projected state, as `GET /v1/state` answers it; a parent or a state of the run that is not there is nil.
--- @class atoms.ContextView
--- @field cursor string
--- @field canvases table<string, { type: string, blocks: table<string, atoms.Block> }>
--- @field tokens table<string, any>
--- @field graph { state?: string, detail?: string, flow_id?: string, nodes: table<string, table>, edges: table<string, table> }
--- @field chat { messages: table<string, atoms.Message>, order: string[] } open ones, the newest 200 ended with and without label
--- @field left_out { blocks: integer, edges: integer, messages: integer, nodes: integer, tokens: integer, texts: integer } how many of a large state are not here, and how many texts were cut

--- One piece of context; no other members.
--- @class atoms.ContextItem
--- @field kind string a word: what it is
--- @field ref? string what it is of
--- @field text? string
--- @field data any

--- A log line before it is stored.
--- @class atoms.LogLine
--- @field level "debug"|"info"|"warn"|"error"
--- @field message string
--- @field fields? table<string, any>

--- A block on its way out: of what is answered, `props` and `text` count.
--- @class atoms.TransformBlock
--- @field id string
--- @field kind string
--- @field canvas_type string
--- @field author "user"|"agent"|"service" the kind of who made it
--- @field vis? string
--- @field props table<string, any> may be changed or left out, not added
--- @field text string

--- A message on its way out: of what is answered, `text` counts.
--- @class atoms.TransformMessage
--- @field id string
--- @field author "user"|"agent"|"service" the kind of its author
--- @field vis? string
--- @field text string

--- Values as a class shall see them. Each function gets one and answers the one to show, nil for nothing; all are optional.
--- @class atoms.Transform
--- @field block? (fun(block: atoms.TransformBlock): atoms.TransformBlock?)
--- @field token? (fun(key: string, value: any): any)
--- @field message? (fun(message: atoms.TransformMessage): atoms.TransformMessage?)

--- How many commands one actor may send, in all its runs together, counted by each process.
--- @class atoms.Rate
--- @field per_s number
--- @field burst number how many at once

--- What an actor may see and write. Called once per connection and subject, and again after a reload.
--- @alias atoms.hook.lens fun(actor: atoms.Actor, scope: atoms.Scope): atoms.LensPlan?

--- Transforms by name; a plan names one in `transform`. Used on every way out; a text that it may change is sent whole. Called once per value and class.
--- @alias atoms.hook.transforms table<string, atoms.Transform>

--- What an agent gets as context, the most useful first. The gateway keeps the longest beginning that fits. Called per `GET /v1/context`.
--- @alias atoms.hook.context fun(request: atoms.ContextRequest, view: atoms.ContextView): atoms.ContextItem[]

--- Whether a command of those named in the file's `commands` (globs) is taken; any other answer denies. Called per command that the lens admits, and per part of a streamed text, before anything changes; not for repeats.
--- @alias atoms.hook.validate fun(command: atoms.Command, view: atoms.View): true?, atoms.Refusal?

--- How many of those commands one actor may send. Called never: it is data.
--- @alias atoms.hook.rate atoms.Rate

--- What a log line may contain. The tenant's runs first, then the default, then the gateway's own rules. Called per log line, before it is stored.
--- @alias atoms.hook.sanitize fun(line: atoms.LogLine, scope: atoms.Scope): atoms.LogLine?

--- Whether one of the canvas's own commands is taken. Called per command, after its arguments fit the manifest.
--- @alias atoms.hook.canvas.validate fun(command: atoms.Command, view: atoms.View): true?, atoms.Refusal?

--- Turns the command into what it does: at most 64 operations, all or none. Called per command that is taken.
--- @alias atoms.hook.canvas.reduce fun(command: atoms.Command, view: atoms.View): atoms.Op[]?, atoms.Refusal?
