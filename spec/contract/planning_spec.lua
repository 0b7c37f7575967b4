-- Planning costs no vision: without a media driver it is commands on state and nothing else. No event has a sidecar, and nobody is asked to
-- sign one.

local support = require("support")
local command, json = support.command, support.json
local http = require("support.http")
local sockets = require("support.sockets")

local COMMANDS = 10000
local BATCH = 64

local PLANNING_TYPES = {
  CANVAS_READY = true, canvas_commit = true, chat_message = true, log_line = true, state_patch = true, token_patch = true,
}

--- The path to a member that tells of media, or nil.
local function find_media(value, path)
  for name, member in pairs(type(value) == "table" and value or {}) do
    local here = path .. "/" .. tostring(name)
    if tostring(name):lower():find("sidecar") or tostring(name):lower():find("presign") then
      return here
    end
    local below = find_media(member, here)
    if below then
      return below
    end
  end
  return nil
end

describe("planning without a media driver", function()
  local gateway, connection, new_sockets, ann, make

  after_each(support.stop_all)

  local function start(env)
    gateway = support.start({ env = env })
    ann = gateway:bearer({})
    make = command.maker()
    connection = gateway:connect()
    new_sockets = sockets.watch(gateway.pid)
  end

  --- Eight commands about the n-th task, each of which takes effect.
  local function about_task(n)
    local task = "b" .. n
    return {
      make:insert(task, { kind = "task", text = "step " .. n }),
      make:update(task, { done = n % 2 == 1, due = "day " .. n }),
      make:tokens({ ["plan.days"] = n % 365 + 1 }),
      make("block.move", { id = task, parent = "b0", after = json.null }),
      make("chat_send", { text = "About step " .. n }, { canvas_id = false }),
      make:update(task, { priority = "high" }),
      make("log.write", { lines = { { level = "info", message = "planned " .. n } } }, { canvas_id = false }),
      make("canvas.commit", { message = "up to " .. n }),
    }
  end

  --- Without a look at each answer's form: other specs have that.
  local function call(request)
    request.headers = { Authorization = "Bearer " .. ann, ["Content-Type"] = "application/json" }
    local answer = connection:call(request)
    assert(answer.status == 200, answer.body)
    return answer.body
  end

  local function plan(count, after_batch)
    gateway:send_all(ann, { make:mount(), make:insert("b0", { kind = "task", text = "the plan" }) })
    for task = 1, count // 8, BATCH // 8 do
      local batch = json.array({})
      for n = task, math.min(task + BATCH // 8 - 1, count // 8) do
        table.move(about_task(n), 1, 8, #batch + 1, batch)
      end
      local answers = call({ method = "POST", path = "/v1/commands", body = json.encode(batch) })
      local _, done = answers:gsub('"status":"committed","command_id":"[^"]*","cursor":"[^"]*","events":1}', "")
      assert(done == #batch, answers)
      after_batch(task)
    end
  end

  local function each_event(visit)
    local cursor, has_more, count = "earliest", true, 0
    while has_more do
      local ids = gateway:ids({ run_id = make.run_id, after = cursor, limit = 1000 })
      local page = json.must(call({ path = "/v1/events" .. http.query(ids) }))
      for _, item in ipairs(page.events) do
        count = count + 1
        visit(item.event)
      end
      cursor, has_more = page.cursor, page.has_more
    end
    return count
  end

  it("asks nobody and makes no sidecar in 10,000 commands", function()
    start({})
    plan(COMMANDS, function(task)
      assert.same({}, task % 10 == 1 and new_sockets() or {})
    end)
    local seen = {}
    local count = each_event(function(event)
      assert(PLANNING_TYPES[event.type], "an event of type " .. event.type)
      assert(not find_media(event, ""), json.encode(event))
      seen[event.type] = true
    end)
    assert.is_true(count >= COMMANDS + 2) -- and the commits that the gateway makes
    assert.same(PLANNING_TYPES, seen)
    assert.is_nil(find_media(gateway:state(ann, { run_id = make.run_id }), ""))
    for _, word in ipairs({ "presign", "sidecar", "media" }) do
      assert.is_nil(gateway:admin("/metrics").body:find(word, 1, true), word)
    end
  end)

  it("would be told of a connection out", function()
    local server = assert(require("socket").bind("127.0.0.1", 0))
    local _, port = server:getsockname()
    start({ ATOMS_SINK = "webhook", ATOMS_SINK_URL = ("http://127.0.0.1:%d/hook"):format(port) })
    gateway:send(ann, make("log.write", { lines = { { level = "info", message = "to the hook" } } }, { canvas_id = false }))
    support.clock.until_true("a connection to the webhook", function()
      return #new_sockets() > 0
    end)
    server:close()
  end)

  it("would be told of a sidecar", function()
    assert.equal("/data/blocks/1/sidecar", find_media({ data = { blocks = { { sidecar = { id = "s1" } } } } }, ""))
    assert.is_nil(find_media({ data = { text = "the sidecar of a motorcycle" } }, ""))
  end)
end)
