-- GET /v1/context: what an agent may start from, through its lens, within its budget, the same bytes for the same state.

local support = require("support")
local policies = require("support.policies")
local command, json = support.command, support.json

describe("the context of a run", function()
  local gateway, ann, make

  local function context(role, more, tenant, tokens)
    local bearer = gateway:bearer({ actor = "bot", kind = "agent", role = role, tenant = tenant, tokens = tokens })
    local ids = { run_id = make.run_id, tenant_id = tenant }
    for name, value in pairs(more or {}) do
      ids[name] = value
    end
    return gateway:get("/v1/context", bearer, gateway:ids(ids))
  end

  local function refs(answer)
    local out = {}
    for i, item in ipairs(answer.json.items) do
      out[i] = item.ref or item.kind
    end
    return out
  end

  local function fill()
    make = command.maker()
    ann = gateway:bearer({})
    gateway:send_all(ann, {
      make:mount(), make:insert("b1", { kind = "heading", text = "Plan" }),
      make:insert("b2", { kind = "task", parent = "b1", text = "Do" }),
      make:insert("b3", { after = "b1", text = "between us", vis = "internal" }),
      make("chat_send", { message_id = "m1", text = "First" }, { canvas_id = false }),
      make("chat_send", { message_id = "m2", text = "Second" }, { canvas_id = false }),
      make:mount({ canvas_id = "c0" }), make:insert("x1", { text = "elsewhere" }, { canvas_id = "c0" }),
    })
  end

  describe("as shipped", function()
    setup(function()
      -- The time of a call is for a program without sanitizers.
      gateway = support.start({ config = "return { scripts = { call_ms = 2000, tenant_ms_per_s = 1000 } }" })
      fill()
    end)

    teardown(support.stop_all)

    it("holds Tokens, blocks as one would read them, and the newest words first", function()
      local answer = context("planner")
      assert.equal(200, answer.status)
      assert.same({ "tokens", "c0/x1", "c1/b1", "c1/b2", "c1/b3", "m2", "m1" }, refs(answer))
      assert.same({ kind = "task", depth = 1, props = {} }, answer.json.items[4].data)
      assert.equal(0, answer.json.omitted)
      assert.equal(gateway:state(ann, { run_id = make.run_id }).cursor ~= nil, answer.json.cursor ~= nil)
    end)

    it("begins with the canvas that matters most", function()
      assert.same({ "tokens", "c1/b1", "c1/b2", "c1/b3", "c0/x1", "m2", "m1" }, refs(context("planner", { focus = "c1" })))
    end)

    it("is of the canvases that are named", function()
      assert.same({ "tokens", "c0/x1", "m2", "m1" }, refs(context("planner", { canvas_id = "c0" })))
    end)

    it("is what the lens shows", function()
      assert.same({ "tokens", "c0/x1", "c1/b1", "c1/b2", "m2", "m1" }, refs(context("viewer")))
    end)

    it("is the same to the byte for the same state", function()
      assert.equal(context("planner").body, context("planner").body)
    end)

    it("keeps within the budget, whatever that is", function()
      local whole = context("planner").json
      for budget = 1, whole.used_bytes + 1, 7 do
        local answer = context("planner", { max_bytes = budget }).json
        assert.is_true(answer.used_bytes <= budget)
        assert.equal(budget, answer.max_bytes)
        for i, item in ipairs(answer.items) do
          assert.same(whole.items[i], item)
        end
      end
      assert.same(whole.items, context("planner", { max_bytes = whole.used_bytes }).json.items)
      assert.equal(#whole.items - 1, #context("planner", { max_bytes = whole.used_bytes - 1 }).json.items)
    end)

    it("of a run that is not there is that of an empty one", function()
      assert.same({ "tokens" }, refs(context("planner", { run_id = "none" })))
    end)

    it("refuses budgets and focuses that are none", function()
      for _, budget in ipairs({ "0", "1048577", "x", "-1", "" }) do
        local answer = context("planner", { max_bytes = budget })
        assert.same({ 400, "bad_parameter", "max_bytes" }, { answer.status, answer.json.code, answer.json.path })
      end
      assert.equal("bad_id", context("planner", { focus = "a/b" }).json.code)
      assert.equal("not_allowed", context("stranger").json.code)
    end)

    it("leaves nothing out of a run that is not large", function()
      assert.same({ blocks = 0, edges = 0, messages = 0, nodes = 0, texts = 0, tokens = 0 }, context("planner").json.left_out)
    end)

    it("of a run with long texts has their beginnings, and says how long they are", function()
      local big = command.maker()
      gateway:send_all(ann, { big:mount(), big:mount({ canvas_id = "c0" }) })
      local after
      for i = 1, 12 do
        after = "b" .. i
        gateway:send(ann, big:insert(after, { text = "é" .. ("wörd "):rep(9000), after = i > 1 and "b" .. (i - 1) or nil }))
      end
      gateway:send(ann, big("chat_send", { message_id = "m1", text = ("word "):rep(2000) }, { canvas_id = false }))
      make = big
      local answer = context("planner", { max_bytes = 200000 })
      assert.equal(200, answer.status)
      assert.same({ blocks = 0, edges = 0, messages = 0, nodes = 0, texts = 13, tokens = 0 }, answer.json.left_out)
      assert.same({ "tokens", "c1/b1", "c1/b2" }, { table.unpack(refs(answer), 1, 3) })
      local item = answer.json.items[2]
      assert.equal(2 + 9000 * 6, item.data.text_bytes)
      assert.equal("é" .. ("wörd "):rep(682) .. "w…", item.text)
      assert.equal(10000, answer.json.items[14].data.text_bytes)
      assert.equal(answer.body, context("planner", { max_bytes = 200000 }).body)
      assert.is_true(context("planner", { max_bytes = 900 }).json.used_bytes <= 900)
      fill()
    end)

    it("of a run with many blocks has those that one reads first, of the focus before all", function()
      local big = command.maker()
      gateway:send_all(ann, { big:mount(), big:mount({ canvas_id = "c0" }) })
      local inserts = {}
      for i = 1, 1500 do
        for _, canvas in ipairs({ "c0", "c1" }) do
          local parent = i % 3 ~= 1 and ("b%d"):format(i - (i - 1) % 3) or json.null
          inserts[#inserts + 1] = big:insert("b" .. i, { text = "t", parent = parent }, { canvas_id = canvas })
        end
      end
      gateway:send_all(ann, inserts)
      make = big
      for _, focus in ipairs({ "c0", "c1" }) do
        local answer = context("planner", { max_bytes = 1048576, focus = focus })
        assert.equal(200, answer.status, answer.body)
        assert.equal(3000 - 2048, answer.json.left_out.blocks)
        local of = { c0 = 0, c1 = 0 }
        for _, ref in ipairs(refs(answer)) do
          local canvas = ref:match("^(c[01])/")
          of[canvas or "c0"] = of[canvas or "c0"] + (canvas and 1 or 0)
        end
        assert.equal(1500, of[focus])
        assert.equal(2048, of.c0 + of.c1)
      end
      fill()
    end)
  end)

  describe("of a tenant's own", function()
    local LENS = 'return { name = "c", version = 1, api = 1, context = function(request, view) %s end }'

    setup(function()
      gateway = support.start({ env = { ATOMS_POLICIES_DIR = policies.folder({
        ["tenants/acme/context_lens.lua"] = LENS:format([[
          return { { kind = "who", text = request.actor.role .. " " .. request.actor.kind .. " " .. request.scope.run_id,
                     data = { budget = request.max_bytes, focus = request.focus } } }]]),
        ["tenants/bad/context_lens.lua"] = LENS:format('return { { kind = "x", colour = "red" } }'),
        ["tenants/none/context_lens.lua"] = LENS:format("return {}"),
        ["tenants/claims/context_lens.lua"] = LENS:format([[
          local tokens = request.actor.claims.tokens
          return { { kind = "tokens", text = tokens and table.concat(tokens, " ") or "not narrowed" } }]]),
      }).path } })
      make = command.maker()
    end)

    teardown(support.stop_all)

    it("knows who asks, for which run, and how much fits", function()
      local item = context("director", { max_bytes = 500, focus = "c9" }).json.items[1]
      assert.same({ kind = "who", text = "director agent " .. make.run_id, data = { budget = 500, focus = "c9" } }, item)
    end)

    it("knows what the bearer is narrowed to, also when that is nothing", function()
      local function narrowed_to(tokens)
        return context("director", nil, "claims", tokens).json.items[1].text
      end
      assert.equal("not narrowed", narrowed_to(nil))
      assert.equal("plan.* ui.*", narrowed_to(json.array({ "plan.*", "ui.*" })))
      assert.equal("", narrowed_to(json.array({})))
    end)

    it("may be empty", function()
      assert.same({ items = json.array({}), used = 0, omitted = 0 }, (function(answer)
        return { items = answer.items, used = answer.used_bytes, omitted = answer.omitted }
      end)(context("director", nil, "none").json))
    end)

    it("that answers what it may not gives nothing", function()
      local answer = context("director", nil, "bad")
      assert.same({ 403, "policy_failed" }, { answer.status, answer.json.code })
    end)
  end)
end)
