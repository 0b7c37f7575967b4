-- Commands: one, an array, NDJSON; all or none; dry runs; idempotency over restarts; the order of an origin.

local support = require("support")
local command, json = support.command, support.json

describe("commands", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    gateway:send(ann, make:mount())
  end)

  local function post(body, params, headers)
    return gateway:post("/v1/commands", ann, body, params, headers)
  end

  local function tokens()
    return gateway:state(ann, { run_id = make.run_id }).tokens
  end

  local function head()
    return gateway:state(ann, { run_id = make.run_id }).cursor
  end

  it("are acknowledged with their id, the cursor of their last event and the number of events", function()
    local one = make:tokens({ ["plan.days"] = 9 })
    local answer = post(one)
    assert.equal(200, answer.status)
    assert.equal("application/json", answer.headers["content-type"])
    assert.same({ status = "committed", command_id = one.command_id, cursor = head(), events = 1 }, setmetatable(answer.json, nil))
    assert.equal(9, tokens()["plan.days"])
  end)

  it("in an array are answered in order, each on its own", function()
    local bad = make:tokens({ ["plan.days"] = 1000 })
    local list = json.array({ make:tokens({ ["plan.days"] = 2 }), bad, make:tokens({ ["plan.days"] = 3 }) })
    local answers = post(list).json
    assert.same({ "committed", "refused", "committed" }, { answers[1].status, answers[2].status, answers[3].status })
    for i, item in ipairs(list) do
      assert.equal(item.command_id, answers[i].command_id)
    end
    assert.equal("out_of_range", answers[2].problem.code)
    assert.equal("/args/set/plan.days", answers[2].problem.path)
    assert.equal(3, tokens()["plan.days"])
  end)

  it("in an array of one are answered by an array of one", function()
    local answers = post(json.array({ make:tokens({ ["plan.days"] = 2 }) })).json
    assert.is_true(json.is_array(answers))
    assert.equal(1, #answers)
  end)

  it("as lines take their scope from the query and are answered as lines", function()
    local bare = { run_id = false, tenant_id = false, mode = false, project_id = false, surface_id = false, app_id = false }
    local lines = json.encode(make:tokens({ ["plan.days"] = 4 }, {}, bare)) .. "\n" .. json.encode(make:tokens({ ["plan.days"] = 5 }))
    local answer = post(lines, gateway:ids({ run_id = make.run_id }), { ["Content-Type"] = "application/x-ndjson" })
    assert.equal(200, answer.status)
    assert.equal("application/x-ndjson", answer.headers["content-type"])
    local count = 0
    for line in answer.body:gmatch("([^\n]+)\n") do
      count = count + 1
      assert.equal("committed", json.must(line).status)
    end
    assert.equal(2, count)
    assert.equal(5, tokens()["plan.days"])
  end)

  it("see the earlier ones of their batch", function()
    local answers = post(json.array({
      make:insert("b1"), make:insert("b2", { parent = "b1" }), make:update("b2", { style = "quote" }), make("block.remove", { id = "b1" }),
    })).json
    for _, answer in ipairs(answers) do
      assert.equal("committed", answer.status)
    end
    assert.same({}, setmetatable(gateway:state(ann, { run_id = make.run_id }).canvases.c1.blocks, nil))
  end)

  it("in an atomic batch all take effect or none, and the culprit is named by its place", function()
    local before = head()
    local answer = post(json.array({ make:tokens({ ["plan.days"] = 8 }), make:tokens({ ["plan.days"] = 0 }) }), { atomic = 1 })
    assert.is_true(answer.status >= 400 and answer.status < 500)
    assert.equal("out_of_range", answer.json.code)
    assert.equal("/1/args/set/plan.days", answer.json.path)
    assert.equal(before, head())
    assert.equal(7, tokens()["plan.days"])
    local good = post(json.array({ make:tokens({ ["plan.days"] = 8 }), make:tokens({ ["plan.title"] = "x" }) }), { atomic = 1 })
    assert.equal(200, good.status)
    assert.same({ 8, "x" }, { tokens()["plan.days"], tokens()["plan.title"] })
  end)

  it("refused in an atomic batch may be sent again", function()
    local one = make:tokens({ ["plan.days"] = 8 })
    post(json.array({ one, make:tokens({ ["plan.days"] = 0 }) }), { atomic = 1 })
    assert.equal("committed", post(one).json.status)
  end)

  it("on a dry run say what would happen and store nothing", function()
    local before, one = head(), make:tokens({ ["plan.days"] = 8 })
    local answer = post(one, { dry_run = 1 })
    assert.equal(200, answer.status)
    assert.equal("would_commit", answer.json.status)
    assert.equal("token_patch", answer.json.events[1].type)
    assert.is_nil(answer.json.events[1].canvas_id)
    assert.equal(8, answer.json.events[1].data.set["plan.days"])
    assert.equal(before, head())
    assert.equal("committed", post(one).json.status)
    assert.equal("would_commit", post(one, { dry_run = 1 }).json.status)
  end)

  it("on a dry run are refused as they would be", function()
    local answer = post(make:tokens({ ["plan.days"] = 0 }), { dry_run = 1 })
    assert.equal("out_of_range", answer.json.code)
    local list = json.array({ make:insert("b1"), make:insert("b2", { parent = "b1" }), make:insert("b3", { parent = "no" }) })
    local batch = post(list, { dry_run = 1 })
    assert.same({ "would_commit", "would_commit", "refused" }, { batch.json[1].status, batch.json[2].status, batch.json[3].status })
    assert.same({}, setmetatable(gateway:state(ann, { run_id = make.run_id }).canvases.c1.blocks, nil))
  end)

  it("on a dry run begin no run", function()
    local other = command.maker()
    assert.equal("would_commit", post(other:mount(), { dry_run = 1 }).json.status)
    assert.same({}, setmetatable(gateway:state(ann, { run_id = other.run_id }).canvases, nil))
  end)

  it("may be sent as a chunked body in any pieces", function()
    local text = json.encode(make:tokens({ ["plan.days"] = 12 }))
    local pieces = {}
    for at = 1, #text, 3 do
      pieces[#pieces + 1] = text:sub(at, at + 2)
    end
    local headers = { ["Content-Type"] = "application/json" }
    local answer = gateway:call({ method = "POST", path = "/v1/commands", bearer = ann, chunks = pieces, headers = headers })
    assert.equal("committed", answer.json.status)
  end)

  it("may come from the query's surface and app, which each event tells", function()
    gateway:send(ann, make:tokens({ ["plan.days"] = 2 }, {}, { surface_id = "mobile", app_id = "other" }))
    local events = gateway:events(ann, { run_id = make.run_id }).events
    local last = events[#events].event
    assert.same({ "mobile", "other" }, { last.surface_id, last.app_id })
  end)
end)

describe("a repeated command", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
    make = command.maker()
    gateway:send(ann, make:mount())
  end)

  teardown(support.stop_all)

  local function post(body, params, bearer)
    return gateway:post("/v1/commands", bearer or ann, body, params)
  end

  local function count()
    return #gateway:events(ann, { run_id = make.run_id, limit = 1000 }).events
  end

  it("gets the first answer byte for byte and changes nothing", function()
    local one = make:insert("b1", { text = "first" })
    local first = post(one).body
    local events = count()
    assert.equal(first, post(one).body)
    assert.equal(events, count())
  end)

  it("gets it in another order of members and with other white space", function()
    local one = make:tokens({ ["plan.days"] = 5, ["plan.title"] = "x" })
    local first = post(one).body
    local text = json.encode(one):gsub(",", " ,\n "):gsub('^{"app_id":"demo" ,\n ', "{ "):gsub("}$", ', "app_id" : "d\\u0065mo" }')
    assert.equal(first, post(text).body)
  end)

  it("gets it after kill -9 and after an orderly end", function()
    local one, two = make:insert("b2"), make:tokens({ ["plan.days"] = 6 })
    local first, second = post(one).body, post(two).body
    gateway:kill()
    gateway:restart()
    assert.equal(first, post(one).body)
    gateway:restart()
    assert.equal(second, post(two).body)
    local events = count()
    assert.equal(first, post(one).body)
    assert.equal(events, count())
  end)

  it("gets it inside a batch, atomic or not", function()
    local one = make:tokens({ ["plan.days"] = 16 })
    local first = post(one).json
    for _, params in ipairs({ {}, { atomic = 1 } }) do
      local answers = post(json.array({ one, make:tokens({ ["plan.days"] = 17 }) }), params).json
      assert.same(first, answers[1])
      assert.equal("committed", answers[2].status)
    end
  end)

  it("twice in one batch takes effect once", function()
    local one, events = make:insert("twice"), count()
    local answers = post(json.array({ one, one })).json
    assert.same(answers[1], answers[2])
    assert.equal(events + 1, count())
  end)

  it("of which many come at once takes effect once", function()
    local one, events = json.encode(make:insert("racing")), count()
    local connections, first = {}, nil
    for i = 1, 16 do
      connections[i] = gateway:connect()
      connections[i]:request({ method = "POST", path = "/v1/commands", body = one, headers = { Authorization = "Bearer " .. ann } })
    end
    for _, connection in ipairs(connections) do
      local answer = connection:response()
      first = first or answer.body
      assert.equal(200, answer.status)
      assert.equal(first, answer.body)
      connection:close()
    end
    assert.equal(events + 1, count())
  end)

  it("with another body is a conflict", function()
    local one = make:insert("b5")
    post(one)
    one.args.block.text = "other"
    local answer = post(one)
    assert.equal(409, answer.status)
    assert.equal("/command_id", answer.json.path)
  end)

  it("by another actor is another command", function()
    local one = make:tokens({ ["plan.days"] = 21 })
    local first = post(one).json
    local second = post(one, {}, gateway:bearer({ actor = "eve" })).json
    assert.equal("committed", second.status)
    assert.not_equal(first.cursor, second.cursor)
  end)

  it("in another run is another command", function()
    local other = command.maker()
    local one = make:tokens({ ["plan.days"] = 22 })
    post(one)
    one.run_id = other.run_id
    gateway:send(ann, other:mount())
    assert.equal("committed", post(one).json.status)
  end)

  it("that was refused is judged anew", function()
    local one = make:insert("child", { parent = "later" })
    assert.is_true(post(one).status >= 400)
    post(make:insert("later"))
    assert.equal("committed", post(one).json.status)
  end)

  it("that changes nothing still has one durable answer", function()
    gateway:send(ann, make:tokens({ ["plan.days"] = 30 }))
    local same = make:tokens({ ["plan.days"] = 30 })
    local first = post(same)
    assert.equal(200, first.status)
    assert.equal(first.body, post(same).body)
    gateway:kill()
    gateway:restart()
    assert.equal(first.body, post(same).body)
  end)
end)
