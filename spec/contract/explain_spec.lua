-- `atoms explain` answers what the gateway would do, of what there is, and names the line that decides.

local support = require("support")
local json, shell = support.json, support.shell
local gateways = require("support.gateway")
local policies = require("support.policies")

local BOARD = [[
return {
  name = "board", version = "1.0.0", api = 1, title = "Board", harness = "workbench",
  tokens = { ["board.title"] = { type = "string" }, ["board.cover"] = { type = "sidecar" } },
  kinds = {
    note = { text = true, props = { cost = { type = "integer" }, image = { type = "sidecar" } } },
    plain = { text = false },
  },
  commands = { ["board.shoot"] = { title = "Shoot", args = { image = { type = "sidecar" } } } },
}
]]

local REDUCE = 'return { api = 1, commands = { ["board.shoot"] = { reduce = function() return {} end } } }\n'

describe("atoms explain", function()
  local canvases

  setup(function()
    canvases = shell.folder() .. "/canvases"
    shell.must({ "cp", "-r", "canvases", canvases })
    shell.must({ "mkdir", "-p", canvases .. "/board" })
    shell.write(canvases .. "/board/manifest.lua", BOARD)
    shell.write(canvases .. "/board/commands.lua", REDUCE)
  end)

  teardown(shell.clean)

  local function run(...)
    return shell.run({ "env", "ATOMS_CANVASES_DIR=" .. canvases, gateways.bin, "explain", ... })
  end

  local function explain(...)
    local result = run("--json", ...)
    return result.code, json.must(result.out)
  end

  --- Whether a role of these policies may, as exit codes say it.
  local function codes(folder, role, questions)
    local out = {}
    for i, question in ipairs(questions) do
      out[i] = explain("--policies", folder.path, "--role", role, table.unpack(question))
    end
    return out
  end

  it("asks for vision wherever a sidecar is", function()
    local questions = {
      { "--event", "snapshot_created" }, { "--token", "board.cover" }, { "--token", "board.cover", "--write" },
      { "--block", "note", "--prop", "image" }, { "--command", "board.shoot" },
    }
    local folder = policies.folder({})
    assert.same({ 1, 1, 1, 1, 1 }, codes(folder, "planner", questions))
    assert.same({ 0, 0, 0, 0, 0 }, codes(folder, "director", questions))
    local _, answer = explain("--role", "planner", "--event", "snapshot_created")
    assert.same({ "/vision", "vision" }, { answer.pointer, answer.decides })
  end)

  it("asks for the block wherever its content is asked for", function()
    local questions = {
      { "--block", "task", "--vis", "internal" }, { "--block", "task", "--vis", "internal", "--text" },
      { "--block", "task", "--vis", "internal", "--prop", "done" }, { "--block", "task", "--prop", "done" },
      { "--block", "task", "--prop", "done", "--write" },
    }
    assert.same({ 1, 1, 1, 0, 1 }, codes(policies.folder({}), "viewer", questions))
  end)

  it("asks for what a command writes, and for who may write it at all", function()
    local folder = policies.folder({
      ["token_lens.lua"] = policies.lens([[return lens.extend(lens.everything(), {
        chat = { write = false, read = {} }, logs = { read = false } })]]),
    })
    local questions = {
      { "--command", "chat_send" }, { "--event", "chat_token" }, { "--event", "log_line" }, { "--command", "graph.node.set" },
      { "--command", "graph.node.set", "--kind", "agent" },
    }
    assert.same({ 1, 1, 1, 1, 0 }, codes(folder, "editor", questions))
  end)

  it("asks for a command by which it could be written", function()
    local questions = {
      { "--message", "--write" }, { "--logs", "--write" }, { "--node", "step", "--kind", "agent", "--write" },
      { "--token", "plan.days", "--write" }, { "--block", "task", "--write" }, { "--block", "task", "--text", "--write" },
    }
    local function with(commands)
      local body = ("return lens.extend(lens.everything(), { commands = %s })"):format(commands)
      return policies.folder({ ["token_lens.lua"] = policies.lens(body) })
    end
    assert.same({ 1, 1, 1, 1, 1, 1 }, codes(with("{}"), "editor", questions))
    assert.same({ 0, 0, 0, 0, 0, 0 }, codes(with('{ "*" }'), "editor", questions))
    assert.same({ 0, 1, 1, 0, 0, 1 }, codes(with('{ "chat_send", "token.set", "block.update" }'), "editor", questions))
    local own = with('{ "planning.add_task" }')
    assert.same({ 1, 1, 1, 0, 0, 0 }, codes(own, "editor", questions))
    local code, answer = explain("--policies", own.path, "--role", "editor", "--block", "task", "--write")
    assert.same({ 0, "planning.add_task" }, { code, answer.only_by })
    code, answer = explain("--policies", with("{}").path, "--role", "editor", "--message", "--write")
    assert.same({ 1, "/commands" }, { code, answer.pointer })
  end)

  it("refuses what there is not, and says what there is", function()
    for _, case in ipairs({
      { { "--event", "snapshot_creatd" }, "unknown_event", "snapshot_created?" },
      { { "--command", "board.shot" }, "unknown_command", "board.shoot?" },
      { { "--block", "taks" }, "unknown_kind", "task?" },
      { { "--block", "task", "--canvas", "nosuch" }, "unknown_canvas", "board, planning" },
      { { "--block", "note", "--canvas", "board", "--prop", "price" }, "unknown_prop", "cost, image" },
      { { "--block", "plain", "--text" }, "no_text", "" }, { { "--block", "note", "--author", "robot" }, "bad_kind", "service" },
      { { "--token", "a", "--block", "task" }, "many_questions", "" },
      { { "--token", "a", "--prop", "b" }, "option_misplaced", "--block" },
      { { "--event", "log_line", "--write" }, "option_misplaced", "" }, { {}, "no_question", "--token" },
      { { "--token", "a", "--kind", "robot" }, "bad_kind", "user" },
      { { "--token", "a", "--policies", "/nowhere" }, "folder_unreadable", "" },
    }) do
      local code, answer = explain(table.unpack(case[1]))
      assert.same({ 2, case[2] }, { code, answer.code })
      assert.is_truthy(answer.message:find(case[3], 1, true), answer.message)
    end
  end)

  it("answers in JSON even where the command line is wrong", function()
    for _, words in ipairs({ { "--nosuch" }, { "--role" }, { "--config", "/nowhere", "--vision" } }) do
      local code, answer = explain(table.unpack(words))
      assert.equal(2, code)
      assert.is_string(answer.code)
    end
  end)

  it("says what a failing lens fails of, and does not call that no", function()
    local folder = policies.folder({ ["token_lens.lua"] = policies.lens("local x\n  return x.y") })
    local code, answer = explain("--policies", folder.path, "--vision")
    assert.same({ 2, "script_failed" }, { code, answer.code })
    assert.matches("token_lens%.lua:3$", answer.where)
  end)

  it("says that a role is admitted to nothing", function()
    local code, answer = explain("--role", "stranger", "--vision")
    assert.same({ 1, false, "lens" }, { code, answer.is_admitted, answer.layer })
    local text = run("--role", "stranger", "--vision").out
    assert.matches("ann %(user, stranger%) of acme may not know of media sidecars", text)
    assert.matches("nil, which admits to nothing, .*token_lens%.lua:%d+\n", text)
  end)

  it("says of a tenant that it has no policies of its own", function()
    local folder = policies.folder({ ["tenants/acme/token_lens.lua"] = policies.lens("return lens.everything()") })
    local function by_defaults(...)
      return select(2, explain("--policies", folder.path, "--history", ...)).is_by_defaults
    end
    assert.same({ false, false, true }, { by_defaults(), by_defaults("--tenant", "acme"), by_defaults("--tenant", "acem") })
    assert.matches("acem has no policies of its own", run("--policies", folder.path, "--history", "--tenant", "acem").out)
    assert.is_nil(run("--policies", folder.path, "--history").out:find("of its own", 1, true))
  end)

  it("says that no canvas declares a Token", function()
    local _, answer = explain("--token", "secret.key")
    assert.is_false(answer.is_declared)
    assert.matches("no canvas declares", run("--token", "secret.key").out)
  end)

  it("names the transform through which a value is shown", function()
    local folder = policies.folder({
      ["token_lens.lua"] = 'local lens = require("atoms.lens")\nreturn { name = "token_lens", version = 1, api = 1,\n' ..
        'transforms = { masked = { block = function(b) return b end } },\n' ..
        'lens = function() return lens.extend(lens.everything(), { transform = "masked" }) end }',
    })
    local _, answer = explain("--policies", folder.path, "--block", "note", "--text")
    assert.same({ true, "masked" }, { answer.is_admitted, answer.transform })
    assert.equal(1, (explain("--policies", folder.path, "--block", "note", "--text", "--write")))
  end)

  local LINES = [[
local lens = require("atoms.lens")
local secret = { "board.title" }
local everything = lens.everything()
local plans = {
  editor = lens.redact(
    lens.hide_vis(everything, { "draft" }),
    { kinds = { "note" }, props = { "cost" } }
  ),
  viewer = lens.extend(lens.read_only(lens.hide_tokens(everything, secret)), {
    vision = false,
    history = true,
    blocks = { read = { { authors = { "agent" } } } },
  }),
}
return { name = "token_lens", version = 1, api = 1, lens = function(actor)
  if actor.role == "viewer" then
    return plans.viewer
  end
  return plans[actor.role]
end }
]]

  it("names the line that is written for it, whatever the library made of that", function()
    local folder = policies.folder({ ["token_lens.lua"] = LINES })
    for _, case in ipairs({
      { 6, "editor", "--block", "note", "--vis", "draft" }, { 7, "editor", "--block", "note", "--prop", "cost" },
      { 2, "viewer", "--token", "board.title" }, { 10, "viewer", "--vision" }, { 11, "viewer", "--history" },
      { 12, "viewer", "--block", "note" }, { 12, "viewer", "--block", "note", "--author", "agent" },
    }) do
      local _, answer = explain("--policies", folder.path, "--role", table.unpack(case, 2))
      assert.same({ false, tostring(case[1]) }, { answer.is_near, answer.where:match("token_lens%.lua:(%d+)$") }, table.concat(case, " "))
    end
  end)

  it("says near where nothing is written for it, and never names the library", function()
    local folder = policies.folder({ ["token_lens.lua"] = LINES })
    local _, answer = explain("--policies", folder.path, "--role", "editor", "--event", "state_patch")
    assert.same({ true, "5" }, { answer.is_near, answer.where:match("token_lens%.lua:(%d+)$") })
    assert.matches(", near .*token_lens%.lua:5\n", run("--policies", folder.path, "--role", "editor", "--event", "state_patch").out)
  end)

  it("prints nothing raw of what policies and options hold", function()
    local folder = policies.folder({ ["token_lens.lua"] = policies.lens([[return { tokens = { read = { "*", "!a\27[31m*" } } }]]) })
    local result = run("--policies", folder.path, "--token", "a\27[31m", "--actor", "ann")
    assert.equal(1, result.code)
    assert.is_nil((result.out .. result.err):find("\27", 1, true))
    assert.is_truthy(result.out:find("\\x1b[31m", 1, true))
  end)
end)
