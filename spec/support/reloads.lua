--- Policies that change again and again while streams follow: for a moment in spec/contract/reload_spec.lua, for long in bench/reload.
---
---   reloads.run{gateway=, folder=, streams=, switched=, reloads=} → report; an error that says what a stream got wrong, or did not get
---       gateway: started with ATOMS_POLICIES_DIR = folder.path (support.policies), whose token_lens.lua is reloads.first_lens
---       switched: how many of the streams are of a class that every second change takes a Token from, and the next gives back
---       report = {seconds=, reload_ms = sorted list, bytes=, told = lens_changed frames that arrived}
---
--- After each change two Tokens are set: `plan.title` counts, and everybody sees it; `plan.priority` is the one that comes and goes.
---   of a class that stays    the bytes of each stream are those of a replay of the run, to the last one
---   of the class that goes   no title is missing: each follows upon the one before it, or upon the checkpoint's; behind the
---                            `lens_changed` of a change that hides there is no byte of `plan.priority` until the next

local socket = require("socket")

local clock = require("support.clock")
local command = require("support.command")
local http = require("support.http")
local json = require("support.json")
local policies = require("support.policies")

local reloads = {}

local SHOWS = policies.lens("return lens.everything()")
local HIDES = policies.lens([[
  return actor.role == "viewer" and lens.hide_tokens(lens.everything(), { "plan.priority" }) or lens.everything()
]])
local PRIORITIES = { [0] = "low", "normal", "high" }

reloads.first_lens = SHOWS

-- ---- streams ------------------------------------------------------------------------------------------------------------------------

local function path_of(gateway, run_id, cursor)
  return "/v1/stream" .. http.query(gateway:ids({ run_id = run_id, cursor = cursor }))
end

local function open(gateway, bearer, run_id, cursor)
  local connection = http.connect(gateway.base)
  connection:request({ path = path_of(gateway, run_id, cursor), headers = { Authorization = "Bearer " .. bearer } })
  local head = connection:response_head()
  assert(head.status == 200, head.head)
  return { connection = connection, text = "", is_told = false }
end

--- Whole frames, one after the other, of what has come so far.
local function frames_of(stream)
  return function()
    local _, stop = stream.text:find("\n\n", stream.at, true)
    if not stop then
      stream.text, stream.at = stream.text:sub(stream.at or 1), 1
      return nil
    end
    local frame = stream.text:sub(stream.at or 1, stop)
    stream.at = stop + 1
    return frame
  end
end

local function read_verdict(stream)
  local deadline = clock.deadline()
  while not stream.text:find("\n\n", 1, true) do
    stream.text = stream.text .. assert(stream.connection:read_some(deadline))
  end
  local verdict, rest = stream.text:match("^(.-\n\n)(.*)$")
  assert(verdict:find("event: resume\n", 1, true), verdict)
  stream.text = rest
end

-- ---- what they may get --------------------------------------------------------------------------------------------------------------

--- The whole frames of what has come, without presence, which tells who comes and goes.
local function events_of(stream, bytes)
  local parts = {}
  stream.part = stream.part .. bytes
  stream.part = stream.part:gsub("(.-\n\n)", function(frame)
    parts[#parts + 1] = not frame:find("^event: presence\n") and frame or nil
    return ""
  end)
  return table.concat(parts)
end

--- Of a class that stays: what the first of them got is what all others get, and in the end what a replay gives.
local function check_same(crowd, stream, bytes)
  if stream == crowd.first then
    crowd.expected = crowd.expected .. bytes
    return
  end
  stream.text = stream.text .. bytes
  local length = math.min(#stream.text, #crowd.expected - stream.got)
  local expected, got = crowd.expected:sub(stream.got + 1, stream.got + length), stream.text:sub(1, length)
  if expected ~= got then
    error(("a stream of a class that stays got\n%s\ninstead of\n%s"):format(got:sub(1, 1500), expected:sub(1, 1500)), 0)
  end
  stream.got, stream.text = stream.got + length, stream.text:sub(length + 1)
end

local function check_title(stream, frame)
  local title = tonumber(frame:match('"plan%.title":"(%d+)"'))
  if not title then
    return
  end
  local is_checkpoint = frame:find("event: CANVAS_READY\n", 1, true)
  local is_next = title == stream.title + 1 or is_checkpoint and title >= stream.title
  assert(is_next, ("title %d follows upon %d in\n%s"):format(title, stream.title, frame))
  stream.title = title
end

--- Of the class that goes: the changes alternate, and so does what a stream is told of.
local function check_switched(stream, bytes)
  stream.text = stream.text .. bytes
  for frame in frames_of(stream) do
    if frame:find("event: lens_changed\n", 1, true) then
      stream.hides, stream.told = not stream.hides, stream.told + 1
    elseif frame:find("event: resume\n", 1, true) then
      assert(frame:find('"reason":"class_changed"', 1, true), frame)
    else
      local shows = frame:find("plan.priority", 1, true)
      assert(not (shows and stream.hides), "shown although it is hidden: " .. frame)
      check_title(stream, frame)
    end
  end
end

local function read(crowd, stream)
  local bytes, message = stream.connection:read_some(clock.deadline(0))
  if message == "closed" then
    error("a stream was ended", 0)
  end
  crowd.bytes = crowd.bytes + #(bytes or "")
  if bytes and stream.told then
    check_switched(stream, bytes)
  elseif bytes then
    check_same(crowd, stream, events_of(stream, bytes))
  end
end

--- Reads what has come; the first stream before the others, as they are judged by it.
local function drain(crowd, seconds)
  local ready = socket.select(crowd.sockets, nil, seconds)
  read(crowd, crowd.first)
  for _, raw in ipairs(ready) do
    local stream = crowd.by_socket[raw]
    if stream ~= crowd.first then
      read(crowd, stream)
    end
  end
end

-- ---- a run of it --------------------------------------------------------------------------------------------------------------------

local function gather(options, run_id)
  local gateway = options.gateway
  local crowd = { sockets = {}, by_socket = {}, expected = "", bytes = 0, streams = {} }
  local editor, viewer = gateway:bearer({ ttl = 3600, role = "editor" }), gateway:bearer({ ttl = 3600, actor = "vic", role = "viewer" })
  for i = 1, options.streams do
    local is_switched = i > options.streams - options.switched
    local stream = open(gateway, is_switched and viewer or editor, run_id, "now")
    stream.part, stream.got, stream.told, stream.title = "", 0, is_switched and 0 or nil, 0
    read_verdict(stream)
    crowd.streams[i], crowd.sockets[i], crowd.by_socket[stream.connection.raw] = stream, stream.connection.raw, stream
  end
  crowd.first = crowd.streams[1]
  return crowd
end

local function change(options, i)
  options.folder:write("token_lens.lua", i % 2 == 1 and HIDES or SHOWS)
  local from = clock.now()
  local answer = options.admin:call({ method = "POST", path = "/admin/policies/reload", headers = { ["X-Atoms-Admin"] = "1" } })
  assert(answer.status == 200 and answer.body:find('"status":"switched"', 1, true), answer.body)
  return 1000 * (clock.now() - from)
end

--- What came to a stream before it came to the first one waits to be judged.
local function judge_the_rest(crowd)
  for _, stream in ipairs(crowd.streams) do
    if stream ~= crowd.first and not stream.told then
      check_same(crowd, stream, "")
    end
  end
end

local function is_done(crowd, last)
  judge_the_rest(crowd)
  for _, stream in ipairs(crowd.streams) do
    local lacks = stream.told and stream.title < last or stream ~= crowd.first and not stream.told and stream.got < #crowd.expected
    if lacks then
      return false
    end
  end
  return crowd.expected:find(('"plan.title":"%d"'):format(last), 1, true) ~= nil
end

local function check_replay(crowd, options, run_id, skipped)
  local stream = open(options.gateway, options.gateway:bearer({ role = "editor" }), run_id, skipped)
  read_verdict(stream)
  stream.part = ""
  local deadline, text = clock.deadline(), events_of(stream, stream.text)
  while #text < #crowd.expected do
    text = text .. events_of(stream, assert(stream.connection:read_some(deadline)))
  end
  stream.connection:close()
  assert(text == crowd.expected, "what a class that stays was sent is not what a replay gives")
end

function reloads.run(options)
  local gateway, make = options.gateway, command.maker()
  local ann = gateway:bearer({ ttl = 3600, role = "editor" })
  local mounted = gateway:send(ann, make:mount())
  local crowd = gather(options, make.run_id)
  local report = { reload_ms = {}, told = 0 }
  options.admin = http.connect({ host = "127.0.0.1", port = gateway.admin_port })
  local from = clock.now()
  for i = 1, options.reloads do
    report.reload_ms[i] = change(options, i)
    local batch = { make:tokens({ ["plan.title"] = tostring(i) }), make:tokens({ ["plan.priority"] = PRIORITIES[i % 3] }) }
    gateway:send(ann, json.array(batch))
    drain(crowd, 0)
  end
  clock.until_true("every stream to have everything", function()
    drain(crowd, 0.01)
    return is_done(crowd, options.reloads)
  end, 60)
  report.seconds = clock.now() - from
  drain(crowd, 0.2)
  check_replay(crowd, options, make.run_id, mounted.cursor)
  for _, stream in ipairs(crowd.streams) do
    report.told = report.told + (stream.told or 0)
    stream.connection:close()
  end
  options.admin:close()
  table.sort(report.reload_ms)
  report.bytes = crowd.bytes
  return report
end

return reloads
