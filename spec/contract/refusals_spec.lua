-- What is refused, with which status, code and path. Nothing of it leaves a trace in the run.

local support = require("support")
local command, json = support.command, support.json

describe("a refused request", function()
  local gateway, ann, make, before

  local function cursor()
    return gateway:state(ann, { run_id = make.run_id }).cursor
  end

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
    make = command.maker()
    gateway:send_all(ann, {
      make:mount(), make:insert("b1", { text = "hello" }), make:insert("b2", { kind = "task", text = "work" }),
      make:insert("b3", { parent = "b1" }), make:insert("gone"), make("block.remove", { id = "gone" }),
    })
    before = cursor()
  end)

  teardown(function()
    local ok, after = pcall(cursor)
    support.stop_all()
    assert(ok and before == after, "a refused command left an event")
  end)

  local function assert_refused(answer, status, code, path)
    local given = answer.json or {}
    assert.same({ status, code, path or "none" }, { answer.status, given.code, given.path or "none" }, answer.body)
    assert.equal("application/problem+json", answer.headers["content-type"])
    assert.equal(status, given.status)
    assert.is_string(given.detail)
  end

  local function post(body)
    return gateway:post("/v1/commands", ann, body)
  end

  -- ---- bodies -------------------------------------------------------------------------------------------------------------------------

  local titled = json.encode(command.maker():tokens({ ["plan.title"] = "MARK" }))

  local function with(text)
    return (titled:gsub('"MARK"', text))
  end

  for name, case in pairs({
    ["nothing"] = { "", "json_malformed" },
    ["no JSON"] = { "hello", "json_malformed" },
    ["half an object"] = { titled:sub(1, -2), "json_malformed" },
    ["two values"] = { titled .. " {}", "json_malformed" },
    ["a trailing comma"] = { titled:sub(1, -2) .. ",}", "json_malformed" },
    ["a comment"] = { "/* */" .. titled, "json_malformed" },
    ["NaN"] = { with("NaN"), "json_malformed" },
    ["a byte order mark"] = { "\239\187\191" .. titled, "json_malformed" },
    ["bad UTF-8"] = { with('"\192\128"'), "json_bad_utf8" },
    ["a cut UTF-8 sequence"] = { with('"\240\159\152"'), "json_bad_utf8" },
    ["a UTF-8 surrogate"] = { with('"\237\160\128"'), "json_bad_utf8" },
    ["a lone surrogate escape"] = { with('"\\ud800"'), "json_bad_utf8" },
    ["a NUL escape"] = { with('"\\u0000"'), "json_malformed" },
    ["a raw control character"] = { with('"\1"'), "json_malformed" },
    ["a huge integer"] = { with("9007199254740993"), "json_bad_number" },
    ["a number that is infinite"] = { with("1e999"), "json_bad_number" },
    ["a leading zero"] = { with("007"), "json_malformed" },
    ["a key twice"] = { '{"app_id":"demo",' .. titled:sub(2), "json_duplicate_key" },
    ["a key twice, once escaped"] = { '{"\\u0061pp_id":"demo",' .. titled:sub(2), "json_duplicate_key" },
    ["a key twice deep inside"] = { with('1,"plan.title":2'), "json_duplicate_key" },
  }) do
    it("with a body of " .. name .. " is told at which byte", function()
      local answer = post(case[1])
      assert.same({ 400, case[2] }, { answer.status, answer.json.code }, answer.body)
      assert.matches("^byte %d+$", answer.json.path)
    end)
  end

  it("with a body that is too deep or of too many values", function()
    local deep = post(("["):rep(40) .. ("]"):rep(40))
    assert.same({ 413, "json_too_deep" }, { deep.status, deep.json.code })
    local answer = post("[" .. ("{},"):rep(20000) .. "{}]")
    assert.same({ 413, "json_too_many_nodes" }, { answer.status, answer.json.code })
    assert.is_number(answer.json.limit.value)
  end)

  it("of a shape that no command has", function()
    for _, body in ipairs({ "5", '"x"', "null", "true", "[5]", "[[]]" }) do
      local answer = post(body)
      assert.same({ 400, "bad_shape" }, { answer.status, answer.json.code }, body)
    end
  end)

  -- ---- the envelope -------------------------------------------------------------------------------------------------------------------

  for _, name in ipairs({ "tenant_id", "mode", "project_id", "surface_id", "app_id", "run_id", "command_id", "type" }) do
    it("without " .. name .. " names it", function()
      assert_refused(post(make:tokens({ ["plan.days"] = 2 }, {}, { [name] = json.null })), 400, "missing_id", "/" .. name)
    end)

    for _, id in ipairs({ "a/b", "a#b", "..", ".", "a>b", "*", "", "a b", ("x"):rep(65), "é", "a\nb", "-\t" }) do
      it(("with %s = %q"):format(name, id), function()
        local made = make:tokens({ ["plan.days"] = 2 })
        made[name] = id
        assert_refused(post(made), 400, "bad_id", "/" .. name)
      end)
    end

    it("with a " .. name .. " that is no text", function()
      for _, value in ipairs({ 5, true, json.array({ "a" }), json.object() }) do
        local made = make:tokens({ ["plan.days"] = 2 })
        made[name] = value
        assert_refused(post(made), 400, "bad_id", "/" .. name)
      end
    end)
  end

  for _, name in ipairs({ "tenant_id", "mode", "project_id", "surface_id", "app_id", "run_id" }) do
    it("without " .. name .. " in a query names it, and a wrong one too", function()
      for _, path in ipairs({ "/v1/state", "/v1/events", "/v1/stream" }) do
        local missing = gateway:get(path, ann, gateway:ids({ [name] = false }))
        assert.same({ 400, "missing_id" }, { missing.status, missing.json.code })
        assert.equal(name, (missing.json.path:gsub("^[/?]", "")))
        for _, id in ipairs({ "a/b", "..", "a#b", "a>b", "*", "", ("x"):rep(65), "%00" }) do
          local wrong = gateway:get(path, ann, gateway:ids({ [name] = id }))
          assert.same({ 400, "bad_id", name }, { wrong.status, wrong.json.code, (wrong.json.path:gsub("^[/?]", "")) }, id)
        end
      end
    end)
  end

  it("with a canvas id that is none, or too many of them", function()
    for _, path in ipairs({ "/v1/state", "/v1/events", "/v1/stream" }) do
      assert.same({ 400, "bad_id" }, { gateway:get(path, ann, gateway:ids({ canvas_id = "a/b" })).status,
                                       gateway:get(path, ann, gateway:ids({ canvas_id = "a/b" })).json.code })
      local many = {}
      for i = 1, 17 do
        many[i] = "c" .. i
      end
      local answer = gateway:get(path, ann, gateway:ids({ canvas_id = many }))
      assert.same({ 400, "too_many_canvases", "max_canvases_asked" }, { answer.status, answer.json.code, answer.json.limit.name })
    end
  end)

  it("with a query that does not decode", function()
    for _, query in ipairs({ "?tenant_id=%zz", "?tenant_id=%", "?tenant_id=%00", "?tenant_id=%c0%80", "?=x" }) do
      local answer = gateway:get("/v1/state" .. query, ann)
      assert.same({ 400, "bad_query" }, { answer.status, answer.json.code }, query)
    end
  end)

  it("with an unknown member or flag", function()
    assert_refused(post(make:tokens({ ["plan.days"] = 2 }, {}, { cause = "x" })), 400, "unknown_member", "/cause")
    local misspelt = make("token.set", { sett = json.object() })
    assert_refused(post(misspelt), 400, "unknown_member", "/args/sett")
    assert_refused(post(make("no.such", {})), 400, "unknown_command", "/type")
    local answer = gateway:post("/v1/commands", ann, make:tokens({ ["plan.days"] = 2 }), { atomic = "yes" })
    assert.same({ 400, "bad_parameter" }, { answer.status, answer.json.code })
  end)

  it("of a batch that mixes runs", function()
    local other = command.maker()
    assert_refused(post(json.array({ make:tokens({ ["plan.days"] = 2 }), other:mount() })), 400, "mixed_runs", "/1")
  end)

  it("with a scope that the bearer does not cover, in the place of a batch where it stands", function()
    local foreign = make:tokens({ ["plan.days"] = 2 }, {}, { tenant_id = "globex" })
    assert_refused(post(foreign), 403, "not_covered")
    assert_refused(post(json.array({ make:tokens({ ["plan.days"] = 2 }), foreign })), 403, "not_covered", "/1")
  end)

  -- ---- what a canvas does not admit ---------------------------------------------------------------------------------------------------

  local function block(more)
    return make:insert("b9", more)
  end

  -- what, then status, code and path
  local cases = {
    { "an unknown canvas type", "422 unknown_canvas /args/canvas_type", function()
      return make("canvas.mount", { canvas_type = "poker" }, { canvas_id = "c9" })
    end },
    { "a canvas that is not mounted", "422 canvas_not_mounted /canvas_id", function()
      return make:insert("b9", {}, { canvas_id = "c9" })
    end },
    { "no canvas where one is needed", "400 missing_id /canvas_id", function()
      return make:insert("b9", {}, { canvas_id = json.null })
    end },
    { "a block that is there", "409 block_exists /args/block/id", function()
      return make:insert("b1")
    end },
    { "a block that was removed", "409 block_removed /args/id", function()
      return make:update("gone", { style = "quote" })
    end },
    { "a removed block's id", "409 block_removed /args/block/id", function()
      return make:insert("gone")
    end },
    { "an unknown kind", "422 unknown_kind /args/block/kind", function()
      return block({ kind = "poem" })
    end },
    { "an unknown parent", "422 unknown_block /args/block/parent", function()
      return block({ parent = "nope" })
    end },
    { "an unknown neighbour", "422 unknown_block /args/block/after", function()
      return block({ after = "nope" })
    end },
    { "a neighbour of another parent", "409 bad_after /args/block/after", function()
      return block({ after = "b3" })
    end },
    { "an unknown property", "422 unknown_prop /args/block/props/colour", function()
      return block({ props = json.object({ colour = "red" }) })
    end },
    { "a property of a wrong type", "422 wrong_type /args/set/done", function()
      return make:update("b2", { done = "yes" })
    end },
    { "a property out of range", "422 out_of_range /args/set/estimate_days", function()
      return make:update("b2", { estimate_days = 366 })
    end },
    { "a property that is none of its values", "422 not_in_enum /args/set/priority", function()
      return make:update("b2", { priority = "urgent" })
    end },
    { "a text that is too long", "422 too_long /args/set/due", function()
      return make:update("b2", { due = ("x "):rep(20) })
    end },
    { "an unknown block", "422 unknown_block /args/id", function()
      return make:update("nope", { done = true })
    end },
    { "a move below itself", "409 cycle /args/parent", function()
      return make("block.move", { id = "b1", parent = "b3" })
    end },
    { "an unknown Token", "422 unknown_token /args/set/plan.never", function()
      return make:tokens({ ["plan.never"] = 1 })
    end },
    { "a Token of a wrong type", "422 wrong_type /args/set/plan.days", function()
      return make:tokens({ ["plan.days"] = "7" })
    end },
    { "a Token that is no whole number", "422 wrong_type /args/set/plan.days", function()
      return make:tokens({ ["plan.days"] = 1.5 })
    end },
    { "a Token out of range", "422 out_of_range /args/set/plan.days", function()
      return make:tokens({ ["plan.days"] = 366 })
    end },
    { "a Token that is none of its values", "422 not_in_enum /args/set/plan.priority", function()
      return make:tokens({ ["plan.priority"] = "urgent" })
    end },
    { "a Token set and unset", "400 named_twice /args/unset/0", function()
      return make:tokens({ ["plan.days"] = 7 }, { "plan.days" })
    end },
    { "a condition that does not hold", "409 condition_failed /if/~1tokens~1plan.days", function()
      return make:tokens({ ["plan.days"] = 7 }, {}, { ["if"] = json.object({ ["/tokens/plan.days"] = 8 }) })
    end },
    { "a condition that asks for no path", "400 bad_condition /if/~1secrets", function()
      return make:tokens({ ["plan.days"] = 7 }, {}, { ["if"] = json.object({ ["/secrets"] = 8 }) })
    end },
    { "base64", "422 bytes_refused /args/block/text", function()
      return make:insert("b9", { text = ("QUJDRA"):rep(200) })
    end },
    { "hex", "422 bytes_refused /args/set/plan.title", function()
      return make:tokens({ ["plan.title"] = ("0af3"):rep(50) .. ("0af3"):rep(300) })
    end },
    { "a data: URI of an image", "422 bytes_refused /args/block/text", function()
      return make:insert("b9", { text = "see data:image/png;base64,iVBORw0KGgo= here" })
    end },
    { "a control character", "422 bytes_refused /args/block/text", function()
      return make:insert("b9", { text = "bell \7" })
    end },
    { "bytes in a property", "422 bytes_refused /args/set/assignee", function()
      return make:update("b2", { assignee = "a\27[2J" })
    end },
    { "bytes in a commit message", "422 bytes_refused /args/message", function()
      return make("canvas.commit", { message = "\0271" })
    end },
  }
  for _, case in ipairs(cases) do
    it("about " .. case[1], function()
      local status, code, path = case[2]:match("^(%d+) (%S+) (%S+)$")
      assert_refused(post(case[3]()), tonumber(status), code, path)
    end)
  end

  it("of bytes that come in pieces", function()
    local origin = command.id("origin")
    local pieces, committed, n = ("QUJDRA"):rep(50), 0, 0 -- 300 characters each, over 1,024 with the fourth
    local other = command.maker()
    gateway:send_all(ann, { other:mount(), other:insert("b1") })
    local base = gateway:state(ann, { run_id = other.run_id }).cursor
    repeat
      n = n + 1
      local answer = post(other:splice("b1", (n - 1) * #pieces, 0, pieces, { base = base, origin = origin, n = n }))
      committed = committed + (answer.status == 200 and 1 or 0)
      if answer.status ~= 200 then
        assert_refused(answer, 422, "bytes_refused", "/args/ins")
      end
    until answer.status ~= 200 or n == 10
    assert.equal(3, committed)
  end)

  it("is not prose, code or a bearer, which pass", function()
    local other = command.maker()
    gateway:send(ann, other:mount())
    for i, text in ipairs({
      ("A sentence like any other. "):rep(100), "for (let i = 0; i < 10; i++) { x[i] = data:image ? 'a' : 'b' }", gateway:bearer({}),
      "data:text/plain,hello", "0af3 b2c4 " .. ("0af3 "):rep(400), "línea\n\ttab\r\n",
    }) do
      assert.equal(200, post(other:insert("t" .. i, { text = text })).status, text:sub(1, 60))
    end
  end)
end)
