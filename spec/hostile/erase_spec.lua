-- Deleting and erasing, with others typing: kill -9 on the way leaves all as it was or all done, and the order given again does it.
-- Commands that come meanwhile are answered or told to come again. ATOMS_ERASE_ROUNDS is how often (default 5), ATOMS_SPEC_SEED where the
-- random numbers begin.

local socket = require("socket")
local support = require("support")
local clock, command, http, json, view = support.clock, support.command, support.http, support.json, support.view

local ROUNDS = tonumber(os.getenv("ATOMS_ERASE_ROUNDS") or "5")
local SEED = tonumber(os.getenv("ATOMS_SPEC_SEED") or tostring(os.time()))
local HISTORY = 240
local SECRET = "bobs-own-words"

describe("an order that is cut short", function()
  local gateway, ann, bob, make, count

  setup(function()
    math.randomseed(SEED)
    gateway = support.start({ env = { ATOMS_LOG_LEVEL = "info" }, config = "return { limits = { checkpoint_events = 256 } }" })
    ann, bob = gateway:bearer({ actor = "ann", ttl = 86400 }), gateway:bearer({ actor = "bob", ttl = 86400 })
  end)

  teardown(support.stop_all)

  local function where(what)
    return ("seed %d, run %s: %s"):format(SEED, make.run_id, what)
  end

  --- A run in which bob has written here and there.
  local function begin()
    make = command.maker()
    gateway:send_all(ann, command.history(make, HISTORY // 2))
    gateway:send(ann, make:insert("a", { text = "written by ann" }))
    local list = {}
    for i = 1, HISTORY // 2 do
      list[i] = make:insert("bob" .. i, { kind = "task", text = SECRET .. i, props = { due = SECRET } })
    end
    gateway:send_all(bob, list)
    gateway:send(bob, make:splice("a", 0, 0, SECRET, { base = gateway:state(ann, { run_id = make.run_id }).cursor }))
    count = 0
  end

  local function give(path, more)
    local connection = http.connect({ host = "127.0.0.1", port = gateway.admin_port })
    local body = { tenant_id = "acme", mode = "dev", project_id = "p1", run_id = make.run_id }
    for name, value in pairs(more or {}) do
      body[name] = value
    end
    local headers = { ["X-Atoms-Admin"] = "1", ["Content-Type"] = "application/json" }
    connection:request({ method = "POST", path = path, headers = headers, body = json.encode(json.object(body)) })
    return connection
  end

  --- Commands of ann's while `order` is out: what is refused is to be sent again, and nothing else.
  local function type_until(order)
    local deadline = clock.deadline(30)
    local typist = gateway:connect()
    while #socket.select({ order.raw }, nil, 0) == 0 do
      assert(clock.now() < deadline, where("the order is not answered"))
      count = count + 1
      local id = ("ann%d"):format(count)
      local headers = { Authorization = "Bearer " .. ann, ["Content-Type"] = "application/json" }
      local ok, answer = pcall(typist.call, typist, { method = "POST", path = "/v1/commands", headers = headers,
        body = json.encode(make:insert(id, { text = id })) })
      if not ok then
        break -- it was killed
      end
      if answer.status == 503 then
        local problem = json.must(answer.body)
        assert.same({ "run_being_erased", "later" }, { problem.code, problem.retry })
        assert.is_truthy(answer.headers["retry-after"])
      else
        assert.is_true(answer.status == 200 or answer.status == 422, answer.body) -- 422: the run is a new one, without the canvas
      end
    end
    typist:close()
  end

  local function state()
    return gateway:state(ann, { run_id = make.run_id })
  end

  --- What a reader folds who begins with the first event, and how it was told to begin.
  local function read_all()
    local opened, shown = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "earliest" }), view.new()
    local verdict = shown:feed(opened:expect("resume")).json.data
    local head = state().cursor
    while opened.last_id ~= head do
      shown:feed(opened:next())
    end
    opened:close()
    return verdict, shown
  end

  local function assert_as_read()
    local verdict, shown = read_all()
    local now = view.of(state())
    assert.same(now.canvases.c1.blocks, shown.canvases.c1.blocks, where("a reader shows something else"))
    assert.same(now.tokens, shown.tokens, where("a reader shows something else"))
    return verdict
  end

  local function kill_on_the_way(path, more, longest)
    local order = give(path, more)
    os.execute(("sh -c 'sleep %.4f; kill -9 %d' </dev/null >/dev/null 2>&1 &"):format(math.random() * longest, gateway.pid))
    type_until(order)
    order:close()
    gateway:wait()
    gateway:restart()
  end

  local function must(path, more)
    local order = give(path, more)
    type_until(order)
    local answer = order:response()
    assert.equal(200, answer.status, answer.body)
    order:close()
  end

  local function seconds_of(path, more)
    begin()
    local from = clock.now()
    must(path, more)
    return clock.now() - from
  end

  it("erases all that the actor wrote, or nothing yet", function()
    local longest, before, after = seconds_of("/admin/actors/erase", { actor_id = "bob" }) * 1.2, 0, 0
    for _ = 1, ROUNDS do
      begin()
      kill_on_the_way("/admin/actors/erase", { actor_id = "bob" }, longest)
      local verdict = assert_as_read()
      local has_secret = json.encode(state()):find(SECRET, 1, true) ~= nil
      if verdict.status == "exact" then
        before = before + 1
        assert.is_true(has_secret, where("the words went without the past"))
      else
        after = after + 1
        assert.same({ "reset", "purged" }, { verdict.status, verdict.reason })
        assert.is_false(has_secret, where("the past went without the words"))
      end
      must("/admin/actors/erase", { actor_id = "bob" })
      assert.equal("purged", assert_as_read().reason)
      assert.equal("written by ann", state().canvases.c1.blocks.a.text)
      assert.is_nil(gateway:files():find(SECRET, 1, true), where("a file holds the words"))
    end
  end)

  it("deletes a run, or leaves it", function()
    local longest = seconds_of("/admin/runs/delete") * 1.2
    for _ = 1, ROUNDS do
      begin()
      local cursor = state().cursor
      kill_on_the_way("/admin/runs/delete", nil, longest)
      if next(state().canvases) then
        assert.equal("exact", assert_as_read().status)
      end
      must("/admin/runs/delete")
      local opened = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = cursor })
      local verdict = opened:expect("resume").json.data
      opened:close()
      assert.same({ {}, "reset", "other_epoch" }, { state().canvases, verdict.status, verdict.reason })
      assert.is_nil(gateway:files():find(SECRET, 1, true), where("a file holds the words"))
      assert.is_nil(gateway:files():find(make.run_id, 1, true), where("a file holds the name"))
    end
  end)
end)
