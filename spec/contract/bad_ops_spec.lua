-- Operations that must not be: refused with a code, a path and, where there is one, the limit; the state is the same to the byte; the rest
-- of a batch takes effect as if they had not been there, and of an atomic batch nothing does.

local support = require("support")
local command, json = support.command, support.json

describe("a bad operation", function()
  local gateway, ann, bot, make, base, count

  --- b1 holds text, b2 properties, l1 > l2 > … > l64 is as deep as a tree may be.
  local function fill()
    local list = {
      make:mount(), make:insert("b1", { text = "hé😀llo" }), make:insert("b2", { kind = "task", after = "b1" }),
      make:insert("b3", { parent = "b1" }), make:insert("gone"), make("block.remove", { id = "gone" }),
      make("chat_send", { message_id = "m1", text = "said" }),
    }
    for level = 1, 64 do
      list[#list + 1] = make:insert("l" .. level, { parent = level > 1 and "l" .. level - 1 or json.null })
    end
    gateway:send_all(ann, list)
    gateway:send_all(bot, { make("graph.node.set", { id = "n1" }) })
    base = gateway:state(ann, { run_id = make.run_id }).cursor
  end

  setup(function()
    gateway = support.start({})
    ann, bot = gateway:bearer({}), gateway:bearer({ actor = "bot", kind = "agent" })
    make, count = command.maker(), 0
    fill()
  end)

  teardown(support.stop_all)

  local function raw_state()
    return gateway:get("/v1/state", ann, gateway:ids({ run_id = make.run_id })).body
  end

  local function good()
    count = count + 1
    return make:update("b2", { due = "turn " .. count }), make:tokens({ ["plan.title"] = "title " .. count })
  end

  local function judge(problem, status, code, path)
    assert.same({ status, code, path }, { problem.status, problem.code, problem.path }, json.encode(problem))
    assert.equal(code:find("^limit_") ~= nil, problem.limit ~= nil)
    assert.is_string(problem.detail)
  end

  local function alone(bad, ...)
    local before = raw_state()
    local answer = gateway:post("/v1/commands", bad.by or ann, bad.command)
    judge(answer.json, ...)
    assert.equal(before, raw_state())
  end

  local function among_good(bad, ...)
    local first, last = good()
    local expected = json.must(raw_state())
    local answers = gateway:send(bad.by or ann, json.array({ first, bad.command, last }))
    assert.same({ "committed", "refused", "committed" }, { answers[1].status, answers[2].status, answers[3].status })
    assert.same({ 1, 1 }, { answers[1].events, answers[3].events })
    judge(answers[2].problem, ...)
    expected.canvases.c1.blocks.b2.props.due, expected.tokens["plan.title"] = "turn " .. count, "title " .. count
    expected.cursor = answers[3].cursor
    assert.same(expected, json.must(raw_state()))
  end

  local function atomic(bad, status, code, path)
    local before, first, last = raw_state(), good()
    local answer = gateway:post("/v1/commands", bad.by or ann, json.array({ first, bad.command, last }), { atomic = 1 })
    judge(answer.json, status, code, "/1" .. path)
    assert.equal(before, raw_state())
  end

  local function splice(at, del, ins)
    return make:splice("b1", at, del, ins, { base = base })
  end

  -- what, then status, code and path
  local cases = {
    { "on an unknown block", "422 unknown_block /args/id", function() return make:update("nobody", { done = true }) end },
    { "that removes an unknown block", "422 unknown_block /args/id", function() return make("block.remove", { id = "nobody" }) end },
    { "on a removed block", "409 block_removed /args/id", function() return make("block.move", { id = "gone", parent = json.null }) end },
    { "below an unknown block", "422 unknown_block /args/parent",
      function() return make("block.move", { id = "b2", parent = "nobody" }) end },
    { "behind an unknown block", "422 unknown_block /args/after",
      function() return make("block.move", { id = "b2", parent = json.null, after = "nobody" }) end },
    { "that moves a block below itself", "409 cycle /args/parent", function() return make("block.move", { id = "b1", parent = "b1" }) end },
    { "that moves a block below its child", "409 cycle /args/parent",
      function() return make("block.move", { id = "b1", parent = "b3" }) end },
    { "that moves a block below its last descendant", "409 cycle /args/parent",
      function() return make("block.move", { id = "l1", parent = "l64" }) end },
    { "with a text for a whole number", "422 wrong_type /args/set/plan.days", function() return make:tokens({ ["plan.days"] = "1" }) end },
    { "with a number for a text", "422 wrong_type /args/set/plan.title", function() return make:tokens({ ["plan.title"] = 1 }) end },
    { "with a list for a switch", "422 wrong_type /args/set/done",
      function() return make:update("b2", { done = json.array({ true }) }) end },
    { "with null for a property", "422 wrong_type /args/set/done", function() return make:update("b2", { done = json.null }) end },
    { "with a text for a position", "400 bad_shape /args/at", function() return splice("1", 0, "x") end },
    { "with half a position", "400 bad_shape /args/at", function() return splice(1.5, 0, "x") end },
    { "before the text", "422 out_of_range /args/at", function() return splice(-1, 0, "x") end },
    { "behind the text, counted in code points", "422 out_of_range /args/at", function() return splice(7, 0, "x") end },
    { "that removes more than there is", "422 out_of_range /args/at", function() return splice(5, 2, "") end },
    { "at a position beyond all texts", "422 out_of_range /args/at", function() return splice(2147483647, 0, "x") end },
    { "at a position that no counter holds", "422 out_of_range /args/at", function() return splice(9007199254740991, 0, "x") end },
    { "that inserts no text", "400 bad_shape /args/ins", function() return splice(0, 0, json.null) end },
    { "that inserts a control character", "422 bytes_refused /args/ins", function() return splice(0, 0, "\1") end },
    { "that makes a tree too deep", "422 limit_depth /args/block/parent", function() return make:insert("deep", { parent = "l64" }) end },
    { "that moves a tree too deep", "422 limit_depth /args/parent",
      function() return make("block.move", { id = "b1", parent = "l63" }) end },
    { "with too many conditions", "422 limit_conditions /if", function()
      local conditions = json.object()
      for i = 1, 65 do
        conditions["/canvases/c1/blocks/x" .. i] = json.null
      end
      return make:tokens({ ["plan.days"] = 1 }, {}, { ["if"] = conditions })
    end },
    { "on an unknown message", "422 unknown_message /args/message_id",
      function() return make("chat.append", { message_id = "nobody", offset = 0, text = "x" }) end },
    { "on a message that has ended", "409 chat_ended /args/message_id",
      function() return make("chat.append", { message_id = "m1", offset = 4, text = "x" }) end },
    { "with a message's id again", "409 message_exists /args/message_id",
      function() return make("chat_send", { message_id = "m1", text = "x" }) end },
    { "of the graph from a user", "403 not_allowed /type", function() return make("graph.node.set", { id = "n2" }) end },
    { "with an edge to nowhere", "422 unknown_node /args/to",
      function() return make("graph.edge.set", { id = "e1", from = "n1", to = "n9" }) end,
      by_bot = true },
  }

  for _, case in ipairs(cases) do
    local status, code, path = case[2]:match("^(%d+) (%S+) (%S+)$")
    for name, try in pairs({ alone = alone, ["in a batch"] = among_good, ["in an atomic batch"] = atomic }) do
      it(("%s is refused, %s"):format(case[1], name), function()
        try({ command = case[3](), by = case.by_bot and bot or nil }, tonumber(status), code, path)
      end)
    end
  end

  -- ---- bodies that are none -----------------------------------------------------------------------------------------------------------

  local function refused_whole(body, status, code)
    local before = raw_state()
    local answer = gateway:post("/v1/commands", ann, body)
    assert.same({ status, code }, { answer.status, answer.json.code })
    assert.equal(before, raw_state())
  end

  it("with a lone surrogate is no JSON, and takes its batch along", function()
    local first, last = good()
    local bad = json.encode(splice(0, 0, "MARK"))
    for _, half in ipairs({ "\\ud83d", "\\ude00", "\\ude00\\ud83d", "\237\160\189" }) do
      refused_whole(bad:gsub("MARK", half), 400, "json_bad_utf8")
      refused_whole(("[%s,%s,%s]"):format(json.encode(first), bad:gsub("MARK", half), json.encode(last)), 400, "json_bad_utf8")
    end
  end)

  it("with a whole surrogate pair is a good one", function()
    assert.equal(200, gateway:post("/v1/commands", ann, (json.encode(splice(0, 0, "MARK")):gsub("MARK", "\\ud83d\\ude00"))).status)
    local blocks = gateway:state(ann, { run_id = make.run_id }).canvases.c1.blocks
    assert.equal("😀hé😀llo", blocks.b1.text)
  end)

  it("that makes a text too long is refused with the limit, however it grew", function()
    local other = command.maker()
    gateway:send_all(ann, { other:mount(), other:insert("b1") })
    local start, words = gateway:state(ann, { run_id = other.run_id }).cursor, ("many words "):rep(19000)
    local answer
    for i = 1, 6 do
      answer = gateway:post("/v1/commands", ann, other:splice("b1", (i - 1) * #words, 0, words, { base = start, origin = "o", n = i }))
    end
    judge(answer.json, 422, "limit_text_bytes", "/args/ins")
    assert.equal(1048576, answer.json.limit.value)
    assert.equal(5 * #words, #gateway:state(ann, { run_id = other.run_id }).canvases.c1.blocks.b1.text)
  end)

  it("with a huge text is refused before it is read", function()
    refused_whole(splice(0, 0, ("many words "):rep(30000)), 413, "body_too_large")
  end)

  it("among too many is refused with all of them", function()
    local list = {}
    for i = 1, 65 do
      list[i] = make:tokens({ ["plan.days"] = i })
    end
    refused_whole(json.array(list), 413, "batch_too_long")
  end)
end)
