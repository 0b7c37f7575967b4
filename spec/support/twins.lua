--- A run and its twins, and what a reader is sent by each: for specs of what may not be told (spec/contract/twin_spec.lua).
---
---   twins.world(gateway, kind, run_id, idle) → w   kind: "hidden", "quiet" or "plain"; idle: of a token.set that changes nothing
---     w:shown(bearer, type, args, more?)           a command in every world
---     w:concealed(bearer, type, args)              in the hidden one; the quiet one has a command that changes nothing, the plain one none
---     w:gesture(bearer, hidden, data)              what somebody does: `hidden` in the hidden world, `data` in the others
---     w:append(events, bearer)                     the same for events that no command makes; the gateway starts anew
---   twins.reader(w, bearer) → r                    notes all that it is sent, in r.seen
---     r:get(path, params?)  r:send(what, type, args, more?)  r:open(what, {cursor=, last_event_id=})  r:note(what, text)
---     r:look(last, from)                           everywhere; `last` is in the last event that it may see, `from` a cursor of before
---   twins.same(expected, got, is_exact)            an error unless both were sent the same, but for what differs between any two runs;
---                                                  is_exact: cursors are told apart, by the order in which they first appear

local command = require("support.command")
local json = require("support.json")
local shell = require("support.shell")

local twins = {}

-- ---- worlds -------------------------------------------------------------------------------------------------------------------------

local World = {}
World.__index = World

function twins.world(gateway, kind, run_id, idle)
  local make = command.maker({ run_id = run_id })
  return setmetatable({ gateway = gateway, kind = kind, run_id = run_id, idle = idle, make = make, counts = {} }, World)
end

--- Command ids are of a run: those that everybody sees are the same in all worlds.
function World:command(prefix, kind, args, more)
  self.counts[prefix] = (self.counts[prefix] or 0) + 1
  local members = { command_id = ("%s-%d"):format(prefix, self.counts[prefix]) }
  for name, value in pairs(more or {}) do
    members[name] = value
  end
  return self.make(kind, args, members)
end

function World:shown(bearer, kind, args, more)
  local answer = self.gateway:post("/v1/commands", bearer, self:command("c", kind, args, more))
  assert(answer.status == 200, answer.body)
  return answer
end

function World:concealed(bearer, kind, args)
  local made = self:command("h", kind, args)
  if self.kind == "hidden" then
    self.gateway:send(bearer, made)
  elseif self.kind == "quiet" then
    self.gateway:send(bearer, self.make("token.set", self.idle))
  end
end

function World:gesture(bearer, hidden, data)
  local body = self.gateway:ids({ run_id = self.run_id, canvas_id = "c1" })
  body.data = self.kind == "hidden" and hidden or data
  return self.gateway:post("/v1/gestures", bearer, body)
end

function World:append(events, quiet_bearer)
  if self.kind == "hidden" then
    self.gateway:stop()
    local tool = require("support.gateway").bin:gsub("atoms$", "spine_append")
    shell.must({ tool, self.gateway.data_dir .. "/spine.db", "acme/dev/p1/" .. self.run_id }, json.encode(events))
    self.gateway:restart()
  elseif self.kind == "quiet" then
    for _ = 1, #events do
      self:concealed(quiet_bearer, "token.set")
    end
  end
end

-- ---- looking ------------------------------------------------------------------------------------------------------------------------

function twins.pattern_of(text)
  return (text:gsub("%p", "%%%0"))
end

--- A reader of one world: what it was sent, as text, without what differs between any two runs.
local Reader = {}
Reader.__index = Reader

function twins.reader(own, bearer)
  return setmetatable({ world = own, gateway = own.gateway, bearer = bearer, seen = {}, cursors = {}, cursor_count = 0 }, Reader)
end

function Reader:cursor_name(text, is_exact)
  if not is_exact then
    return ("<%d bytes>"):format(#text)
  end
  if not self.cursors[text] then
    self.cursor_count = self.cursor_count + 1
    self.cursors[text] = ("<cursor %d of %d bytes>"):format(self.cursor_count, #text)
  end
  return self.cursors[text]
end

function Reader:note(what, text)
  self.seen[#self.seen + 1] = { what = what, text = text }
end

function Reader:texts(is_exact)
  local out = {}
  for i, entry in ipairs(self.seen) do
    local text = entry.text:gsub(twins.pattern_of(self.world.run_id), "RUN")
      :gsub("%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ", "TIME")
      :gsub('"stream_id":"[^"]*"', '"stream_id":0'):gsub("retry: %d%d%d%d\n", "retry\n")
      :gsub("[%w_-]+", function(word)
        return #word >= 40 and self:cursor_name(word, is_exact) or nil
      end)
    out[i] = entry.what .. "\n" .. text
  end
  return out
end

local function headers_text(headers)
  local lines = {}
  for name, value in pairs(headers) do
    lines[#lines + 1] = name ~= "date" and ("%s: %s"):format(name, value) or nil
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

function Reader:note_answer(what, answer)
  self:note(what, ("%d\n%s\n%s"):format(answer.status, headers_text(answer.headers), answer.body))
  return answer
end

function Reader:get(path, more)
  local ids = self.gateway:ids({ run_id = self.world.run_id })
  for name, value in pairs(more or {}) do
    ids[name] = value
  end
  return self:note_answer(path, self.gateway:get(path, self.bearer, ids))
end

function Reader:send(what, kind, args, more)
  return self:note_answer(what, self.gateway:post("/v1/commands", self.bearer, self.world:command("r", kind, args, more)))
end

function Reader:open(what, options)
  local stream = self.gateway:stream({
    bearer = self.bearer, run_id = self.world.run_id, cursor = options.cursor, last_event_id = options.last_event_id,
  })
  self:note(what, stream:expect("resume").raw)
  return stream
end

--- What a stream carries, up to the frame that holds `last`.
function Reader:follow(what, options)
  local stream, parts = self:open(what, options), {}
  stream:find(options.last, function(frame)
    parts[#parts + 1] = frame.raw
    return frame.raw:find(options.last, 1, true) ~= nil
  end)
  stream:close()
  self:note(what, table.concat(parts))
end

local function checkpoint_of(self)
  local stream, parts = self:open("checkpoint", {}), {}
  stream:find("the checkpoint's end", function(frame)
    parts[#parts + 1] = frame.raw
    return frame.id ~= nil
  end)
  stream:close()
  self:note("checkpoint", table.concat(parts))
end

--- `last` is in the last event that it may see; `from` a cursor of before.
function Reader:look(last, from)
  checkpoint_of(self)
  self:follow("earliest", { cursor = "earliest", last = last })
  self:follow("resume", { last_event_id = from, last = last })
  self:follow("the last two", { cursor = "-2", last = last })
  self:follow("revision", { cursor = "@commit:1", last = last })
  self:get("/v1/state")
  self:get("/v1/state", { at = from })
  self:get("/v1/events", { after = from })
  local page = self:get("/v1/events", { limit = 2 })
  while page.json.has_more do
    page = self:get("/v1/events", { limit = 2, after = page.json.cursor or page.json.next })
  end
  self:get("/v1/history", { canvas_id = "c1" })
  self:get("/v1/diff", { canvas_id = "c1", from = from, to = self:get("/v1/state").json.cursor })
  self:get("/v1/diff", { canvas_id = "c1", from = "1", to = "2" })
  for _, entry in ipairs({ { "/v1/me" }, { "/v1/canvases" }, { "/v1/context", { run_id = self.world.run_id, max_bytes = 4096 } } }) do
    local ids = self.gateway:ids(entry[2])
    ids.run_id = entry[2] and ids.run_id
    local answer = self:note_answer(entry[1], self.gateway:get(entry[1], self.bearer, ids))
    assert(answer.status == 200, answer.body)
  end
end

--- The bytes that two readers got, one after the other.
function twins.same(expected, got, is_exact)
  local there, here = expected:texts(is_exact), got:texts(is_exact)
  for i = 1, math.max(#there, #here) do
    if there[i] ~= here[i] then
      error(("sent was\n%s\n\nand by the twin\n%s"):format(here[i], there[i]), 2)
    end
  end
end

return twins
