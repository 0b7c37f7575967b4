-- Splices in their context: many in flight from one author, several authors at once, and what is refused.

local support = require("support")
local command, json = support.command, support.json

describe("edits of one text", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    gateway:send_all(ann, { make:mount(), make:insert("b1", { text = "hello" }) })
  end)

  local function post(body, bearer)
    return gateway:post("/v1/commands", bearer or ann, body)
  end

  local function cursor()
    return gateway:state(ann, { run_id = make.run_id }).cursor
  end

  local function text()
    return gateway:state(ann, { run_id = make.run_id }).canvases.c1.blocks.b1.text
  end

  it("count code points, not bytes", function()
    local base = cursor()
    gateway:send(ann, make:splice("b1", 5, 0, " wörld 😀!", { base = base }))
    gateway:send(ann, make:splice("b1", 12, 1, "☃", { base = cursor() }))
    assert.equal("hello wörld ☃!", text())
  end)

  it("see all earlier ones of the same origin, whatever they saw of the run", function()
    local base, origin = cursor(), command.id("origin")
    local typed, n = "typing", 0
    for char in typed:gmatch(".") do
      local answer = post(make:splice("b1", 5 + n, 0, char, { base = base, origin = origin, n = n + 1 }))
      assert.equal(200, answer.status)
      n = n + 1
    end
    assert.equal("hellotyping", text())
  end)

  it("may be in flight together on one connection", function()
    local base, origin, connection = cursor(), command.id("origin"), gateway:connect()
    for n = 1, 40 do
      connection:request({
        method = "POST", path = "/v1/commands", headers = { Authorization = "Bearer " .. ann },
        body = json.encode(make:splice("b1", 4 + n, 0, tostring(n % 10), { base = base, origin = origin, n = n })),
      })
    end
    for _ = 1, 40 do
      assert.equal(200, connection:response().status)
    end
    connection:close()
    assert.equal("hello" .. ("1234567890"):rep(4), text())
  end)

  it("see the earlier ones of their batch", function()
    local base = cursor()
    local answers = post(json.array({ make:splice("b1", 5, 0, "A", { base = base }), make:splice("b1", 6, 0, "B", { base = base }) })).json
    assert.same({ "committed", "committed" }, { answers[1].status, answers[2].status })
    assert.equal("helloAB", text())
  end)

  it("of two authors on the same base keep what both meant", function()
    local base, eve = cursor(), gateway:bearer({ actor = "eve" })
    assert.equal(200, post(make:splice("b1", 0, 1, "J", { base = base })).status)
    assert.equal(200, post(make:splice("b1", 5, 0, " there", { base = base }), eve).status)
    assert.equal("Jello there", text())
  end)

  it("at one place go directly after their left neighbour, the later-ordered first", function()
    local base, eve = cursor(), gateway:bearer({ actor = "eve" })
    post(make:splice("b1", 5, 0, "X", { base = base }))
    post(make:splice("b1", 5, 0, "Y", { base = base }), eve)
    assert.equal("helloYX", text())
  end)

  it("reach streams as operations on the text as it stands", function()
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id })
    local view = support.view.new()
    view:feed(stream:expect("resume"))
    view:feed(stream:expect("CANVAS_READY"))
    local base, eve = cursor(), gateway:bearer({ actor = "eve" })
    post(make:splice("b1", 0, 2, "__", { base = base }))
    post(make:splice("b1", 1, 3, "", { base = base }), eve)
    view:feed(stream:expect("state_patch"))
    view:feed(stream:expect("state_patch"))
    assert.equal(text(), view:text("c1", "b1"))
  end)

  it("out of their origin's order are refused with retry now and the number that is expected", function()
    local base, origin = cursor(), command.id("origin")
    local ahead = make:splice("b1", 0, 0, "b", { base = base, origin = origin, n = 2 })
    local answer = post(ahead)
    assert.equal(409, answer.status)
    assert.same({ "out_of_order", "/n", "now" }, { answer.json.code, answer.json.path, answer.json.retry })
    assert.matches("1", answer.json.detail)
    assert.equal(200, post(make:splice("b1", 0, 0, "a", { base = base, origin = origin, n = 1 })).status)
    assert.equal(200, post(ahead).status)
    assert.equal("out_of_order", post(make:splice("b1", 0, 0, "c", { base = base, origin = origin, n = 2 })).json.code)
  end)

  it("keep the order of an origin over a restart", function()
    local base, origin = cursor(), command.id("origin")
    post(make:splice("b1", 5, 0, "1", { base = base, origin = origin, n = 1 }))
    gateway:kill()
    gateway:restart()
    assert.equal("out_of_order", post(make:splice("b1", 6, 0, "3", { base = base, origin = origin, n = 3 })).json.code)
    assert.equal(200, post(make:splice("b1", 6, 0, "2", { base = base, origin = origin, n = 2 })).status)
    assert.equal("hello12", text())
  end)

  it("of an origin with the same name by another actor are another origin", function()
    local base, origin, eve = cursor(), command.id("origin"), gateway:bearer({ actor = "eve" })
    assert.equal(200, post(make:splice("b1", 0, 0, "a", { base = base, origin = origin, n = 1 })).status)
    assert.equal(200, post(make:splice("b1", 0, 0, "b", { base = base, origin = origin, n = 1 }), eve).status)
  end)

  it("need a base that is a cursor of this run", function()
    local other = command.maker()
    local foreign = gateway:send(ann, other:mount()).cursor
    local without = post(make:splice("b1", 0, 0, "x")).json
    assert.same({ "base_required", "/base" }, { without.code, without.path })
    for _, base in ipairs({ foreign, "nonsense" }) do
      local answer = post(make:splice("b1", 0, 0, "x", { base = base }))
      assert.same({ 409, "base_unknown", "/base" }, { answer.status, answer.json.code, answer.json.path })
    end
    assert.equal("hello", text())
  end)

  it("take a base of any lens class and canvas set: only the run's epoch must match", function()
    local narrow = gateway:bearer({ actor = "agent", kind = "agent", tokens = json.array({ "plan.title" }) })
    local base = gateway:state(narrow, { run_id = make.run_id, canvas_id = "c1" }).cursor
    assert.equal(200, post(make:splice("b1", 5, 0, "!", { base = base })).status)
    assert.equal("hello!", text())
  end)

  it("past the end of the text that their author saw are refused", function()
    local base = cursor()
    for _, place in ipairs({ { 6, 0 }, { 5, 1 }, { 0, 6 } }) do
      local answer = post(make:splice("b1", place[1], place[2], "x", { base = base }))
      assert.same({ "out_of_range", "/args/at" }, { answer.json.code, answer.json.path })
    end
  end)

  it("on a block of no text or none at all are refused", function()
    assert.equal("unknown_block", post(make:splice("b9", 0, 0, "x", { base = cursor() })).json.code)
  end)
end)
