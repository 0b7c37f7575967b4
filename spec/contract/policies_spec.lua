-- Policies in Lua decide: per tenant, within budgets, and a fault denies whom it concerns and nobody else.

local support = require("support")
local policies = require("support.policies")
local command = support.command

local DEFAULT = [[return require("defaults.token_lens").lens(actor, scope)]]

local function validator(body)
  local text = 'return { name = "v", api = 1, commands = { "token.set", "block.*" }, validate = function(command, view) %s end }'
  return text:format(body)
end

describe("policies", function()
  local gateway

  local function start(files, options)
    options = options or {}
    options.env = { ATOMS_POLICIES_DIR = policies.folder(files).path, ATOMS_WORKERS = options.workers }
    gateway = support.start(options)
    return gateway
  end

  after_each(support.stop_all)

  local function bearer(tenant, options)
    options = options or {}
    options.tenant = tenant
    return gateway:bearer(options)
  end

  local function read(tenant, options)
    local answer = gateway:get("/v1/state", bearer(tenant, options), gateway:ids({ tenant_id = tenant, run_id = "r1" }))
    return answer.status == 200 and 200 or answer.json.code
  end

  local function send(tenant, made, options)
    made.tenant_id = tenant
    return gateway:post("/v1/commands", bearer(tenant, options), made)
  end

  it("deny by default: a role that they do not know, and one whose plan is nil", function()
    start({ ["tenants/beta/token_lens.lua"] = policies.lens("return nil") })
    assert.same({ 200, "not_allowed", "not_allowed" }, { read("acme"), read("acme", { role = "stranger" }), read("beta") })
  end)

  it("of a tenant replace and extend the defaults", function()
    start({
      ["tenants/acme/token_lens.lua"] = policies.lens(
        "local plan = require('defaults.token_lens').lens(actor, scope) return plan and lens.hide_tokens(plan, { 'plan.title' })"),
      ["tenants/beta/token_lens.lua"] = policies.lens("return { blocks = { read = true } }"),
    })
    local keys = {}
    for _, tenant in ipairs({ "acme", "beta", "other" }) do
      local make = command.maker({ tenant_id = tenant })
      local answer = send(tenant, make:mount())
      assert.equal(tenant == "beta" and 403 or 200, answer.status)
      local state = gateway:get("/v1/state", bearer(tenant), gateway:ids({ tenant_id = tenant, run_id = make.run_id })).json
      keys[tenant] = ("%s %s"):format(state.tokens["plan.title"], state.tokens["plan.days"])
    end
    assert.same({ acme = "nil 7", beta = "nil nil", other = " 7" }, keys)
  end)

  it("of a tenant never exceed the ceiling", function()
    start({
      ["ceiling.lua"] = 'return { api = 1, plan = { history = false, tokens = { read = { "plan.days" } }, events = { "*" } } }',
      ["tenants/acme/token_lens.lua"] = policies.lens("return lens.everything()"),
    })
    local me = gateway:get("/v1/me", bearer("acme"), gateway:ids({ run_id = false })).json.may
    assert.same({ false, {}, { ["plan.days"] = "read" } }, { me.history, me.commands, me.tokens })
  end)

  it("that are broken deny their tenant alone, and the log says where", function()
    start({
      ["tenants/acme/token_lens.lua"] = "return {\n  lens = = 3,\n}",
      ["tenants/beta/token_lens.lua"] = policies.lens("local x = nil\n return x.y"),
      ["tenants/gamma/token_lens.lua"] = policies.lens("return { tokens = 3 }"),
    })
    local broken = "policy_failed"
    assert.same({ broken, broken, broken, 200 }, { read("acme"), read("beta"), read("gamma"), read("other") })
    local log = gateway:errors()
    assert.matches('"event":"script_failed","hook":"lens","tenant":"acme"[^\n]*"where":"policies/tenants/acme/token_lens.lua:2"', log)
    assert.matches('"tenant":"beta"[^\n]*"where":"policies/tenants/beta/token_lens.lua:3"', log)
    assert.matches('"tenant":"gamma"[^\n]*"where":"policies/tenants/gamma/token_lens.lua: /tokens"', log)
  end)

  it("never tell a client which script failed", function()
    start({ ["tenants/acme/token_lens.lua"] = policies.lens("error('the secret of the house')") })
    local answer = gateway:get("/v1/state", bearer("acme"), gateway:ids())
    assert.is_nil(answer.body:find("secret", 1, true))
    assert.is_nil(answer.body:find("token_lens", 1, true))
  end)

  it("that run on are stopped, and a neighbour on the same worker is served", function()
    start({ ["tenants/acme/token_lens.lua"] = policies.lens("while true do end") }, { workers = 1 })
    assert.same({ "policy_failed", 200 }, { read("acme"), read("other") })
    assert.matches('"code":"script_budget"', gateway:errors())
  end)

  it("that use up their tenant's time wait for more, and a neighbour does not", function()
    local config = "return { scripts = { tenant_ms_per_s = 5, call_ms = 1000 } }"
    start({ ["tenants/acme/token_lens.lua"] = policies.lens("local n = 0 for i = 1, 200000 do n = n + i end " .. DEFAULT) },
      { workers = 1, config = config })
    local codes = {}
    for i = 1, 20 do
      codes[read("acme", { actor = "a" .. i })] = true
    end
    assert.is_true(codes.script_budget)
    local answer = gateway:get("/v1/state", bearer("acme", { actor = "again" }), gateway:ids())
    assert.same({ 429, "later", "tenant_ms_per_s" }, { answer.status, answer.json.retry, answer.json.limit.name })
    assert.equal(200, read("other"))
    support.clock.until_true("time for the tenant's policies", function()
      return read("acme", { actor = "later" }) == 200
    end)
  end)

  it("that keep failing are left alone for a while", function()
    start({ ["tenants/acme/token_lens.lua"] = policies.lens("error('no')") }, { workers = 1 })
    for i = 1, 30 do
      assert.equal(i <= 20 and "policy_failed" or "policy_quarantined", read("acme", { actor = "a" .. i }))
    end
    local answer = gateway:get("/v1/state", bearer("acme", { actor = "again" }), gateway:ids())
    assert.same({ 503, "later", "1" }, { answer.status, answer.json.retry, answer.headers["retry-after"] })
    assert.equal(20, gateway:metric("atoms_script_failures_total"))
    assert.equal(1, gateway:metric("atoms_script_quarantines_total"))
    assert.equal(1, select(2, gateway:errors():gsub('"event":"tenant_quarantined","tenant":"acme"', "")))
    assert.equal(200, read("other"))
    local slot = gateway:admin("/admin/policies").json.tenants[1]
    assert.same({ "acme", "quarantined", "script_failed" }, { slot.tenant_id, slot.status, slot.error.code })
    assert.is_true(slot.quarantined_until > slot.error.at)
    assert.same({ lens = 20 }, slot.failed_hooks)
    local admin = "http://127.0.0.1:" .. gateway.admin_port
    local listed = gateway:program({ "policies", "--admin", admin })
    assert.matches("not asked until " .. slot.quarantined_until:gsub("%p", "%%%0"), listed.out)
    local released = gateway:program({ "policies", "release", "--tenant", "acme", "--admin", admin })
    assert.same({ 0, true }, { released.code, released.out:find("released", 1, true) ~= nil })
    assert.equal("policy_failed", read("acme", { actor = "anew" }))
    assert.equal(400, gateway:admin("/admin/policies/release", nil, "POST", "{}").status)
  end)

  it("that are wrong for all stop the start, with their place", function()
    local folder = policies.folder({ ["token_lens.lua"] = "return {\n\n  lens = function() end,\n  api = 7 }" })
    local refused = require("support.gateway").refused({ env = { ATOMS_POLICIES_DIR = folder.path } })
    assert.not_equal(0, refused.code)
    assert.matches("policies/token_lens%.lua:%d+: .*api", refused.err)
  end)

  describe("on commands", function()
    it("refuse with their own reason and the place in the arguments", function()
      start({ ["commands/days.lua"] = validator([[
        if (command.args.set or {})["plan.days"] == 13 then
          return nil, { code = "unlucky", message = "not thirteen", path = "/set/plan.days" }
        end
        return true]]) })
      local make = command.maker()
      assert.equal(200, send("acme", make:mount()).status)
      local answer = send("acme", make:tokens({ ["plan.days"] = 13 }))
      assert.same({ 422, "policy_refused", "unlucky", "not thirteen", "/args/set/plan.days" },
        { answer.status, answer.json.code, answer.json.reason, answer.json.detail, answer.json.path })
      assert.equal(200, send("acme", make:tokens({ ["plan.days"] = 12 })).status)
    end)

    it("that refuse, or answer, in another way than they may deny, and the log says what is wrong, and where", function()
      local answers = {
        ["return nil, { code = 'Too Late', message = 'no' }"] = "lower%-case letters",
        ["return nil, { code = 'late' }"] = "has a message",
        ["return nil, { code = 'late', message = 'no', path = 'set' }"] = "pointer into the arguments",
        ["return nil, { code = 'late', message = 'no', pth = '/set' }"] = "no other members",
        ["return false"] = "this answered false",
        ["return nil, 'no'"] = "this answered nil and a text",
        ["return nil"] = "this answered nil\"",
        ["return 1"] = "this answered a number",
      }
      local bodies = {}
      for body in pairs(answers) do
        bodies[#bodies + 1] = ("if n == %d then %s end"):format(#bodies + 1, body)
      end
      bodies[#bodies + 1] = "return true"
      start({ ["commands/days.lua"] = validator("local n = (command.args.set or {})['plan.days'] " .. table.concat(bodies, " ")) })
      local make = command.maker()
      assert.equal(200, send("acme", make:mount()).status)
      bodies[#bodies] = nil
      for n = 1, #bodies do
        local answer = send("acme", make:tokens({ ["plan.days"] = n }))
        assert.same({ 403, "policy_failed" }, { answer.status, answer.json.code })
      end
      local log = gateway:errors()
      for _, says in pairs(answers) do
        assert.matches('"hook":"validate"[^\n]*"where":"policies/commands/days%.lua:%d+","message":"[^\n]*' .. says, log)
      end
    end)

    it("that are none by a slip deny, also when they lay there at the start", function()
      local slips = {
        ['api = 1, commands = { "token.set" }, validat = function() return true end'] = "neither a function validate nor a rate",
        ['api = 2, commands = { "token.set" }, validate = function() return true end'] = "must say api = 1",
        ['api = 1, commands = "token.set", validate = function() return true end'] = "commands must be a list",
        ['api = 1, commands = { "token.set" }, rate = { per_s = -1, burst = 1 }'] = "rate must be",
        ['api = 1, commands = { "token.set" }, rate = { per_s = "1", burst = 1 }'] = "rate must be",
      }
      for slip, says in pairs(slips) do
        start({ ["tenants/acme/commands/days.lua"] = ('return {\n  name = "days", version = 1,\n  %s }'):format(slip) })
        local mount = command.maker():mount()
        assert.same({ 403, "policy_failed" }, { send("acme", mount).status, send("acme", mount).json.code })
        assert.equal(200, send("other", mount).status)
        assert.matches('"where":"policies/tenants/acme/commands/days%.lua:%d","message":"[^\n]*' .. says, gateway:errors())
      end
    end)

    it("look at the run through the author's lens", function()
      start({
        ["token_lens.lua"] = policies.lens(
          "return lens.hide_vis(lens.hide_tokens(lens.everything(), actor.role == 'guest' and { 'plan.title' } or {}), " ..
          "actor.role == 'guest' and { 'internal' } or {})"),
        ["commands/look.lua"] = validator([[
          local seen = view.canvas_type .. " " .. table.concat(view.children(), ",") .. " " .. tostring(view.token("plan.title"))
            .. " " .. ((view.block("b2") or {}).text or "-") .. " " .. #view.children("b2")
          if command.type == "block.remove" then return nil, { code = "seen", message = seen } end
          return true]]),
      })
      local make = command.maker()
      local made = {
        make:mount(), make:tokens({ ["plan.title"] = "T" }, nil, { canvas_id = "c1" }), make:insert("b1"),
        make:insert("b2", { after = "b1", vis = "internal", text = "hush" }), make:insert("b3", { parent = "b2" }),
      }
      for _, one in ipairs(made) do
        assert.equal(200, send("acme", one).status)
      end
      local function seen(role)
        return send("acme", make("block.remove", { id = "b1" }), { role = role }).json.detail
      end
      assert.equal("planning b1,b2 T hush 1", seen("owner"))
      assert.equal("planning b1 nil - 0", seen("guest"))
    end)

    it("are not asked by who may not send the command at all, nor by a repeat", function()
      start({
        ["token_lens.lua"] = policies.lens("local all = lens.everything() return actor.role == 'guest' and lens.read_only(all) or all"),
        ["commands/no.lua"] = validator('return nil, { code = "never", message = "no" }'),
      })
      local make = command.maker()
      assert.equal("not_allowed", send("acme", make:tokens({ ["plan.days"] = 3 }), { role = "guest" }).json.code)
      assert.equal("policy_refused", send("acme", make:tokens({ ["plan.days"] = 3 })).json.code)
    end)

    it("that fail refuse, and nothing takes effect", function()
      start({ ["tenants/acme/commands/bad.lua"] = validator("return 5") })
      local make = command.maker()
      assert.equal(200, send("acme", make:mount()).status)
      local answer = send("acme", make:tokens({ ["plan.days"] = 3 }))
      assert.same({ 403, "policy_failed" }, { answer.status, answer.json.code })
      assert.equal(7, gateway:state(bearer("acme"), { run_id = make.run_id }).tokens["plan.days"])
      local other = command.maker({ tenant_id = "other" })
      send("other", other:mount())
      assert.equal(200, send("other", other:tokens({ ["plan.days"] = 3 })).status)
    end)

    it("allow an actor so many in a time", function()
      start({ ["commands/rate.lua"] =
        'return { name = "r", version = 1, api = 1, commands = { "token.set" }, rate = { per_s = 0.001, burst = 3 } }' })
      local make = command.maker()
      send("acme", make:mount())
      local codes = {}
      for i = 1, 5 do
        codes[i] = send("acme", make:tokens({ ["plan.days"] = i })).status
      end
      assert.same({ 200, 200, 200, 429, 429 }, codes)
      local answer = send("acme", make:tokens({ ["plan.days"] = 9 }))
      assert.same({ "rate_limited", "later" }, { answer.json.code, answer.json.retry })
      assert.equal(200, send("acme", make:tokens({ ["plan.days"] = 9 }), { actor = "ben" }).status)
      assert.equal("unknown_block", send("acme", make:update("nothing", {}), { actor = "ann" }).json.code)
    end)

    it("count an actor's commands whichever worker judges them", function()
      start({ ["commands/rate.lua"] =
        'return { name = "r", version = 1, api = 1, commands = { "token.set" }, rate = { per_s = 0.001, burst = 6 } }' }, { workers = 4 })
      local taken = 0
      for i = 1, 12 do
        local make = command.maker({ run_id = "r" .. i })
        send("acme", make:mount())
        taken = taken + (send("acme", make:tokens({ ["plan.days"] = i })).status == 200 and 1 or 0)
      end
      assert.equal(6, taken)
    end)

    it("ship with one: a message has a text", function()
      start({})
      local make = command.maker()
      local answer = send("acme", make("chat_send", { text = "" }, { canvas_id = false }))
      assert.same({ 422, "policy_refused", "empty_message", "/args/text" },
        { answer.status, answer.json.code, answer.json.reason, answer.json.path })
    end)
  end)

  describe("on log lines", function()
    local SANITIZE = 'return { name = "s", version = 1, api = 1, sanitize = function(line, scope) %s end }'

    local function write(tenant, lines)
      local ids = gateway:ids({ tenant_id = tenant })
      ids.lines = support.json.array(lines)
      return gateway:post("/v1/logs", bearer(tenant, { kind = "agent" }), ids)
    end

    local function stored(tenant)
      local texts = {}
      local page = gateway:get("/v1/events", bearer(tenant), gateway:ids({ tenant_id = tenant, after = "earliest" })).json
      for i, entry in ipairs(page.events) do
        texts[i] = entry.event.data.message
      end
      return texts
    end

    it("the tenant's come before the operator's, and the gateway's own are last", function()
      start({
        ["sanitize.lua"] = SANITIZE:format("line.message = line.message .. ' operator ann@example.org' return line"),
        ["tenants/acme/sanitize.lua"] = SANITIZE:format("return { level = line.level, message = line.message .. ' tenant' }"),
      })
      assert.equal(200, write("acme", { { level = "info", message = "said" } }).status)
      assert.equal(200, write("other", { { level = "info", message = "said" } }).status)
      assert.same({ "said tenant operator [redacted:email]" }, stored("acme"))
      assert.same({ "said operator [redacted:email]" }, stored("other"))
    end)

    it("may drop a line", function()
      start({ ["sanitize.lua"] = SANITIZE:format("return line.level ~= 'debug' and line or nil") })
      assert.equal(1, write("acme", { { level = "debug", message = "a" }, { level = "info", message = "b" } }).json.events)
      assert.equal(0, write("acme", { { level = "debug", message = "c" } }).json.events)
      assert.same({ "b" }, stored("acme"))
    end)

    it("that fail let nothing through", function()
      start({ ["tenants/acme/sanitize.lua"] = SANITIZE:format("return 'all'") })
      assert.equal("policy_failed", write("acme", { { level = "info", message = "a" } }).json.code)
      assert.equal(200, write("other", { { level = "info", message = "a" } }).status)
    end)

    it("that make no line of one deny, and do not blame its sender", function()
      local answers = {
        ["line.level = 'loud'"] = "/level: must be", ["line.message = 5"] = "/message: must be a text",
        ["line.fields = { 1 }"] = "/fields: must be", ["line.msg = 'x'"] = "/msg: a line has no such member",
      }
      for change, says in pairs(answers) do
        start({ ["sanitize.lua"] = SANITIZE:format(change .. " return line") })
        local answer = write("acme", { { level = "info", message = "a" } })
        assert.same({ 403, "policy_failed" }, { answer.status, answer.json.code })
        assert.matches('"hook":"sanitize"[^\n]*sanitize%.lua[^\n]*' .. says, gateway:errors())
        assert.equal("bad_shape", write("acme", { { level = "loud", message = "a" } }).json.code)
        assert.equal(1, gateway:metric("atoms_script_failures_total"))
      end
    end)
  end)
end)
