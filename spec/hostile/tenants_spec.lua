-- One worker, two tenants: what one tenant's policies burn is that tenant's loss, and the other is answered all the while.

local support = require("support")
local clock, command = support.clock, support.command
local policies = require("support.policies")

local RULE = [[return { name = "rule", version = 1, api = 1, commands = { "*" }, validate = function() %s end }]]
local ENDLESS = "while true do end"
local COSTLY = "for _ = 1, 100000 do end"

local COMPARISONS = [[local a = "\0" for _ = 1, 18 do a = a .. a end local b = a .. "b"
while true do local x = ]] .. ("a<b and "):rep(31) .. [[a<b end]]

--- Single instructions, and calls of the library, that would take long.
local STALLS = {
  comparing = COMPARISONS,
  converting = [[local s = (" "):rep(500000) .. "65" local t = {} for i = 1, 4000 do t[i] = s end
    return #string.char(table.unpack(t)) == 0]],
  encoding = [[local json, s = require("atoms.json"), ("\1"):rep(250000) while true do pcall(json.encode, s) end]],
}
local PATIENCE = 3 -- seconds for some turns, of which each takes a tenth: the machine may be busy

describe("a tenant whose policies burn what they are given", function()
  local gateway, folder, victim, make

  before_each(function()
    folder = policies.folder()
    gateway = support.start({
      env = { ATOMS_POLICIES_DIR = folder.path, ATOMS_WORKERS = 1 },
      config = "return { scripts = { call_instructions = 200000, tenant_ms_per_s = 20 } }",
    })
    victim, make = gateway:bearer({}), command.maker()
    gateway:send(victim, make:mount())
  end)

  after_each(support.stop_all)

  local function attack(i)
    local bearer = gateway:bearer({ tenant = "evil", actor = "e" .. i, role = "editor" })
    if i % 2 == 0 then
      return gateway:get("/v1/state", bearer, gateway:ids({ tenant_id = "evil" }))
    end
    return gateway:post("/v1/commands", bearer, command.maker({ tenant_id = "evil" }):mount())
  end

  --- What the attacker is answered, by code, with a command of the victim between any two requests.
  local function take_turns(count)
    local codes = {}
    for i = 1, count do
      local answer = attack(i)
      local code = answer.status == 200 and "ok" or answer.json.code
      codes[code] = (codes[code] or 0) + 1
      assert.equal("committed", gateway:send(victim, make:tokens({ ["plan.days"] = i })).status)
    end
    return codes
  end

  local function refused(codes)
    return (codes.policy_failed or 0) + (codes.script_budget or 0) + (codes.policy_quarantined or 0)
  end

  it("with a lens that never ends is denied, and soon not even asked; the other has each command taken", function()
    folder:write("tenants/evil/token_lens.lua", policies.lens(ENDLESS))
    local codes = take_turns(60)
    assert.equal(60, refused(codes))
    assert.is_true(codes.policy_failed > 0)
    assert.is_true(gateway:metric("atoms_script_failures_total") < 60)
  end)

  it("with a ceiling that never ends is denied", function()
    folder:write("tenants/evil/ceiling.lua", COMPARISONS)
    local began = clock.now()
    assert.equal(10, take_turns(10).policy_failed)
    assert.is_true(clock.now() - began < PATIENCE)
  end)

  for name, text in pairs(STALLS) do
    it("by " .. name .. " holds the worker no longer than one call may", function()
      folder:write("tenants/evil/commands/rule.lua", RULE:format(text))
      local began = clock.now()
      take_turns(6)
      assert.is_true(clock.now() - began < PATIENCE)
    end)
  end

  it("with a rule that never ends is denied", function()
    folder:write("tenants/evil/commands/rule.lua", RULE:format(ENDLESS))
    local codes = take_turns(60)
    assert.is_true(refused(codes) >= 30)
    assert.is_true(codes.policy_failed > 0)
  end)

  it("within each call, but not within its second, is told so and served again later", function()
    folder:write("tenants/evil/token_lens.lua", policies.lens(COSTLY .. " return lens.everything()"))
    folder:write("tenants/evil/commands/rule.lua", RULE:format(COSTLY .. " return true"))
    local count, served = 0, 0
    local function code_of_next()
      count = count + 1
      local answer = attack(count)
      return answer.status == 200 and "ok" or answer.json.code
    end
    -- However slow the machine: what a call costs is counted by the processor, what comes back by the clock.
    clock.until_true("the attacker to be told that its time is used", function()
      assert.equal("committed", gateway:send(victim, make:tokens({ ["plan.days"] = count % 300 + 1 })).status)
      for _ = 1, 20 do
        local code = code_of_next()
        served = served + (code == "ok" and 1 or 0)
        assert.is_true(code == "ok" or code == "script_budget", code)
        if code == "script_budget" then
          return true
        end
      end
    end)
    assert.is_true(served > 0)
    clock.until_true("the attacker to be served again", function()
      return code_of_next() == "ok"
    end)
  end)

  it("does not hold up the other's stream", function()
    folder:write("tenants/evil/token_lens.lua", policies.lens(ENDLESS))
    local stream = gateway:stream({ bearer = victim, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    take_turns(20)
    for i = 1, 20 do
      assert.equal(i, stream:expect("token_patch").json.data.set["plan.days"])
    end
  end)
end)
