-- Operations: the admin listener and its protection, metrics, logs, an orderly end.

local support = require("support")
local command, json, clock = support.command, support.json, support.clock

describe("the admin listener", function()
  local gateway

  setup(function()
    gateway = support.start({})
  end)

  teardown(support.stop_all)

  it("answers health and readiness without anything", function()
    assert.equal(200, gateway:admin("/healthz", {}).status)
    assert.equal(200, gateway:admin("/readyz", {}).status)
  end)

  it("wants its custom header for everything else", function()
    for _, path in ipairs({ "/metrics", "/admin/streams" }) do
      local answer = gateway:admin(path, {})
      assert.same({ 401, "admin_refused" }, { answer.status, answer.json.code })
      assert.equal(200, gateway:admin(path).status)
    end
  end)

  it("answers under the names of its allowlist alone, also for health", function()
    for _, host in ipairs({ "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1:80" }) do
      for _, path in ipairs({ "/healthz", "/readyz", "/metrics", "/admin/streams" }) do
        local answer = gateway:admin(path, { Host = host, ["X-Atoms-Admin"] = "1" })
        assert.same({ 403, "host_not_allowed" }, { answer.status, answer.json.code }, host)
      end
    end
    for _, host in ipairs({ "localhost", "localhost:9999", "LocalHost", "127.0.0.1" }) do
      assert.equal(200, gateway:admin("/metrics", { Host = host, ["X-Atoms-Admin"] = "1" }).status, host)
    end
  end)

  it("does not serve what is public", function()
    assert.equal(404, gateway:admin("/v1/state").status)
    assert.equal(404, gateway:admin("/v1/commands", { ["X-Atoms-Admin"] = "1" }, "POST").status)
  end)

  it("wants its bearer where one is configured, and the header no longer counts", function()
    local guarded = support.start({ env = { ATOMS_ADMIN_TOKEN = "an admin token" } })
    assert.equal(401, guarded:admin("/metrics").status)
    assert.equal(401, guarded:admin("/metrics", { Authorization = "Bearer an admin tokem" }).status)
    assert.equal(401, guarded:admin("/metrics", { Authorization = "Bearer " .. guarded:bearer({ role = "owner" }) }).status)
    assert.equal(200, guarded:admin("/metrics", { Authorization = "Bearer an admin token" }).status)
  end)

  it("names the streams that are furthest behind", function()
    local make, ann = command.maker(), gateway:bearer({})
    gateway:send(ann, make:mount())
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id })
    local id = stream:expect("resume").json.data.stream_id
    local found
    for _, row in ipairs(gateway:admin("/admin/streams").json.slowest) do
      found = row.stream_id == id and row or found
    end
    assert.equal("ann", found.actor)
    assert.matches(make.run_id, found.run, 1, true)
    assert.matches("^127%.0%.0%.1:%d+$", found.peer)
    for _, name in ipairs({ "connection", "lag_seqs", "unsent_bytes" }) do
      assert.is_number(found[name])
    end
  end)
end)

describe("metrics", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
    make = command.maker()
    gateway:send_all(ann, command.history(make, 20))
  end)

  teardown(support.stop_all)

  it("are Prometheus text: each family with HELP and TYPE, then its samples", function()
    local answer = gateway:admin("/metrics")
    assert.matches("^text/plain; version=0%.0%.4", answer.headers["content-type"])
    local typed = {}
    for line in answer.body:gmatch("[^\n]+") do
      local family, kind = line:match("^# TYPE ([%w_]+) (%a+)$")
      if family then
        assert.is_nil(typed[family], "twice: " .. family)
        typed[family] = kind
      elseif not line:find("^# HELP [%w_]+ .+") then
        local name, value = line:match("^([%w_]+){?[^}]*}? (%S+)$")
        local base = typed[name] and name or name:gsub("_bucket$", ""):gsub("_sum$", ""):gsub("_count$", "")
        assert.is_truthy(typed[base], line)
        assert.is_truthy(tonumber(value) or value == "+Inf" or value == "NaN", line)
      end
    end
  end)

  it("hold verdicts, replay, feeds, append latency, syncs and the slowest cursor", function()
    for _, name in ipairs({
      "atoms_resume_verdicts_total", "atoms_replay_blocks_total", "atoms_feeds", "atoms_views", "atoms_streams", "atoms_runs",
      "atoms_append_seconds_count", "atoms_spine_syncs_total", "atoms_slowest_stream_lag_seqs", "atoms_commands_total",
    }) do
      assert.is_number(gateway:metric(name), name)
    end
  end)

  it("count verdicts, streams and syncs as they happen", function()
    local exact = gateway:metric("atoms_resume_verdicts_total")
    local streams = gateway:metric("atoms_streams")
    local syncs = gateway:metric("atoms_spine_syncs_total")
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "earliest" })
    stream:expect("resume")
    assert.equal(exact + 1, gateway:metric("atoms_resume_verdicts_total"))
    assert.equal(streams + 1, gateway:metric("atoms_streams"))
    gateway:send(ann, make:tokens({ ["plan.days"] = 5 }))
    assert.equal(syncs + 1, gateway:metric("atoms_spine_syncs_total"))
    stream:close()
    clock.until_true("the stream to be gone", function()
      return gateway:metric("atoms_streams") == streams
    end)
  end)

  it("name no tenant, run, actor or Token", function()
    local body = gateway:admin("/metrics").body
    for _, word in ipairs({ "acme", make.run_id, "ann\"", "plan.days" }) do
      assert.is_nil(body:find(word, 1, true), word)
    end
  end)
end)

describe("the log", function()
  local gateway

  setup(function()
    gateway = support.start({})
    local ann, make = gateway:bearer({}), command.maker()
    gateway:send(ann, make:mount())
    gateway:stream({ bearer = ann, run_id = make.run_id }):expect("resume")
    gateway:call({ path = "/v1/state", bearer = ann, params = gateway:ids({ secret_thing = "do-not-log-me" }) })
    gateway:stop()
  end)

  teardown(support.stop_all)

  it("is one JSON object a line, with time, level and event", function()
    local count = 0
    for line in gateway:errors():gmatch("[^\n]+") do
      local entry = json.must(line)
      count = count + 1
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT", entry.ts)
      assert.is_truthy(({ debug = true, info = true, warn = true, error = true })[entry.level])
      assert.is_string(entry.event)
    end
    assert.is_true(count > 0)
  end)

  it("holds no query, bearer or Token value", function()
    assert.is_nil(gateway:errors():find("do-not-log-me", 1, true))
  end)
end)

describe("an orderly end", function()
  after_each(support.stop_all)

  it("answers what was admitted, refuses no acknowledged write, and exits with 0", function()
    local gateway = support.start({})
    local ann, make = gateway:bearer({}), command.maker()
    gateway:send(ann, make:mount())
    local connections = {}
    for i = 1, 16 do
      connections[i] = gateway:connect()
      connections[i]:request({ method = "POST", path = "/v1/commands", headers = { Authorization = "Bearer " .. ann },
                               body = json.encode(make:insert("b" .. i)) })
    end
    gateway:signal("TERM")
    local acknowledged = {}
    for i, connection in ipairs(connections) do
      local ok, answer = pcall(connection.response, connection)
      if ok and answer.status == 200 then
        acknowledged[#acknowledged + 1] = "b" .. i
      end
      connection:close()
    end
    assert.equal(0, gateway:wait())
    gateway:restart()
    local blocks = gateway:state(ann, { run_id = make.run_id }).canvases.c1.blocks
    for _, id in ipairs(acknowledged) do
      assert.is_truthy(blocks[id], id)
    end
  end)

  it("closes idle connections and takes no new ones", function()
    local gateway = support.start({})
    local idle = gateway:connect()
    assert.equal(200, idle:call({ path = "/healthz" }).status)
    gateway:signal("TERM")
    assert.is_true(idle:is_closed())
    assert.equal(0, gateway:wait())
    assert.is_false((pcall(gateway.connect, gateway)))
  end)

  it("waits for a stream that does not read no longer than it may", function()
    local gateway = support.start({ env = { ATOMS_SHUTDOWN_MS = 500 } })
    local ann, make = gateway:bearer({}), command.maker()
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id })
    gateway:signal("TERM")
    local code = gateway:wait(10)
    assert.is_true(code == 0 or code == 1)
    stream:close()
  end)

  it("is the same for an interrupt", function()
    local gateway = support.start({})
    gateway:signal("INT")
    assert.equal(0, gateway:wait())
  end)
end)
