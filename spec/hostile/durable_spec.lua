-- One command, said by many at once, happens once; and nothing is acknowledged before it is synced.

local support = require("support")
local wire = require("hostile.wire")
local command, json = support.command, support.json

describe("a command", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({ env = { ATOMS_WORKERS = 2 } })
    ann = gateway:bearer({})
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    gateway:send(ann, make:mount())
  end)

  local function events()
    return gateway:events(ann, { run_id = make.run_id, limit = 1000 }).events
  end

  --- Sends `bytes` on every connection before it reads from any: the kernel spreads them over the workers.
  local function answers_of(connections, bytes, count)
    for _, connection in ipairs(connections) do
      connection:send(bytes)
    end
    local answers = {}
    for _, connection in ipairs(connections) do
      for _ = 1, count or 1 do
        answers[#answers + 1] = connection:response()
      end
    end
    return answers
  end

  local function connect(count)
    local connections = {}
    for i = 1, count do
      connections[i] = gateway:connect()
    end
    return connections
  end

  it("sent by thirty-two connections at once makes one event, and all get the same bytes", function()
    local connections = connect(32)
    for round = 1, 30 do
      local bytes = wire.command(ann, make:insert("b" .. round, { text = "once" }, { command_id = "once-" .. round }))
      local answers = answers_of(connections, bytes)
      for _, answer in ipairs(answers) do
        assert.equal(200, answer.status)
        assert.equal(answers[1].body, answer.body)
      end
      assert.equal(1 + round, #events())
    end
  end)

  it("sent in batches that overlap makes one event each, and each is answered in the same bytes", function()
    local commands, first = {}, {}
    for i = 1, 40 do
      commands[i] = make:tokens({ ["plan.days"] = i })
    end
    local connections = connect(8)
    for i, connection in ipairs(connections) do
      local batch = {}
      for k = 0, 19 do
        batch[k + 1] = commands[(i * 5 + k) % 40 + 1]
      end
      connection:send(wire.post(ann, json.encode(batch)))
    end
    for i, connection in ipairs(connections) do
      local response = connection:response()
      assert.equal(200, response.status)
      for k, answer in ipairs(json.must(response.body)) do
        local at = (i * 5 + k - 1) % 40 + 1
        assert.equal(commands[at].command_id, answer.command_id)
        first[at] = first[at] or json.encode(answer)
        assert.equal(first[at], json.encode(answer))
      end
    end
    assert.equal(41, #events())
  end)

  it("of which several connections say different things under one id is taken in one of them, and refused in the others", function()
    local connections = connect(16)
    for round = 1, 20 do
      for i, connection in ipairs(connections) do
        connection:send(wire.command(ann, make:tokens({ ["plan.title"] = round .. "." .. i }, nil, { command_id = "contended-" .. round })))
      end
      local taken = 0
      for _, connection in ipairs(connections) do
        local response = connection:response()
        assert.is_true(response.status == 200 or response.status == 409, response.body)
        taken = taken + (response.status == 200 and 1 or 0)
      end
      assert.equal(1, taken)
      assert.equal(1 + round, #events())
    end
  end)

  it("repeated inside one batch, or pipelined behind itself, happens once", function()
    local again = make:tokens({ ["plan.days"] = 5 })
    local answers = gateway:send(ann, { again, again, again })
    assert.same(answers[1], answers[2])
    assert.same(answers[1], answers[3])
    local piped = answers_of(connect(4), wire.command(ann, again):rep(16), 16)
    for _, answer in ipairs(piped) do
      assert.equal(json.encode(answers[1]), json.encode(json.must(answer.body)))
    end
    assert.equal(2, #events())
  end)

  it("is acknowledged only after a sync that it was part of", function()
    for i = 1, 50 do
      local before = gateway:metric("atoms_spine_syncs_total")
      gateway:send(ann, make:tokens({ ["plan.days"] = i }))
      assert.is_true(gateway:metric("atoms_spine_syncs_total") > before)
    end
    local before = gateway:metric("atoms_spine_syncs_total")
    local parts = {}
    for i = 1, 64 do
      parts[i] = wire.command(ann, make:tokens({ ["plan.days"] = i + 100 }))
    end
    answers_of(connect(1), table.concat(parts), 64)
    local grown = gateway:metric("atoms_spine_syncs_total") - before
    assert.is_true(grown >= 1 and grown <= 64, grown)
  end)

  it("that is refused, dry or repeated syncs nothing", function()
    local known = make:tokens({ ["plan.days"] = 5 })
    gateway:send(ann, known)
    local before = gateway:metric("atoms_spine_syncs_total")
    gateway:send(ann, known)
    gateway:send(ann, make:tokens({ ["plan.days"] = 6 }), { dry_run = 1 })
    assert.equal(400, gateway:post("/v1/commands", ann, make("no.such", {})).status)
    assert.equal(before, gateway:metric("atoms_spine_syncs_total"))
    assert.equal(2, #events())
  end)
end)
