--- @meta atoms
--- The shapes of scripts, for editors. Written by scripts/stubs from lua/api.lua: change it there.

--- Who asks.
--- @class atoms.Actor
--- @field id string from the bearer's `sub`
--- @field kind "user"|"agent"|"service"
--- @field role string from the bearer
--- @field claims { tokens?: string[] } what else the bearer says; `tokens` narrows the plan whatever it grants

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
--- @field id string
--- @field kind string
--- @field parent? string absent at the root
--- @field pos string its place among its siblings, in byte order
--- @field props table<string, any>
--- @field text string
--- @field vis? string

--- A chat message.
--- @class atoms.Message
--- @field message_id string
--- @field author { id: string, kind: string }
--- @field text string
--- @field vis? string

--- A command being judged.
--- @class atoms.Command
--- @field command_id string
--- @field type string
--- @field canvas_id? string
--- @field args table<string, any>
--- @field actor atoms.Actor
--- @field scope atoms.Scope

--- What the author of a command can see, looked up while its hook runs.
--- @class atoms.View
--- @field canvas_type? string of the command's canvas
--- @field block? fun(id: string): atoms.Block
--- @field children fun(id: string?): string[] ids of the visible children in order; without an id those at the root
--- @field token fun(key: string): any

--- Why a command is refused; its sender reads this.
--- @class atoms.Refusal
--- @field code string lower-case letters and `_`, at most 40
--- @field message string
--- @field path? string where in the arguments: "/title"

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

--- The projected state, as `GET /v1/state` answers it.
--- @class atoms.ContextView
--- @field canvases table<string, { type: string, blocks: table<string, atoms.Block> }>
--- @field tokens table<string, any>
--- @field graph { state?: string, detail?: string, flow_id?: string, nodes: table<string, table>, edges: table<string, table> }
--- @field chat { messages: table<string, atoms.Message>, order: string[] }

--- One piece of context.
--- @class atoms.ContextItem
--- @field kind string
--- @field ref? string
--- @field text? string
--- @field data any

--- A log line before it is stored.
--- @class atoms.LogLine
--- @field level "debug"|"info"|"warn"|"error"
--- @field message string
--- @field fields? table<string, any>

--- Values as a class shall see them. Each function gets one value and answers the one to show; all are optional.
--- @class atoms.Transform
--- @field block fun(block: atoms.Block): atoms.Block
--- @field token fun(key: string, value: any): any
--- @field message fun(message: atoms.Message): atoms.Message

--- What an actor may see and write. Called once per connection and subject, and again after a reload.
--- @alias atoms.hook.lens fun(actor: atoms.Actor, scope: atoms.Scope): atoms.LensPlan?

--- Transforms by name; a plan names one in `transform`. Used on every way out; a text that it may change is sent whole. Called once per value and class.
--- @alias atoms.hook.transforms table<string, atoms.Transform>

--- What an agent gets as context, the most useful first. The gateway keeps the longest beginning that fits. Called per `GET /v1/context`.
--- @alias atoms.hook.context fun(request: atoms.ContextRequest, view: atoms.ContextView): atoms.ContextItem[]

--- Whether a command of those named in `commands` (globs) is taken. Called per command, before anything changes.
--- @alias atoms.hook.validate fun(command: atoms.Command, view: atoms.View): true?, atoms.Refusal?

--- How many of those commands one actor may send. Called never: it is data.
--- @alias atoms.hook.rate { per_s: number, burst: integer }

--- What a log line may contain. The tenant's runs first, then the default, then the gateway's own rules. Called per log line, before it is stored.
--- @alias atoms.hook.sanitize fun(line: atoms.LogLine, scope: atoms.Scope): atoms.LogLine?

--- Whether one of the canvas's own commands is taken. Called per command, after its arguments fit the manifest.
--- @alias atoms.hook.canvas.validate fun(command: atoms.Command, view: atoms.View): true?, atoms.Refusal?

--- Turns the command into what it does: at most 64 operations, all or none. Called per command that is taken.
--- @alias atoms.hook.canvas.reduce fun(command: atoms.Command, view: atoms.View): atoms.Op[]?, atoms.Refusal?
