-- A stream as such: its head, heartbeats, bare ids, the bearer's end and its renewal, goaway.

local support = require("support")
local command, clock = support.command, support.clock

describe("an event stream", function()
  local gateway, ann, make

  setup(function()
    local config = "return { limits = { heartbeat_ms = 150, max_streams_per_actor = 3 } }"
    gateway = support.start({ config = config, env = { ATOMS_WORKERS = 1 } })
    ann = gateway:bearer({})
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
  end)

  local function open(options)
    options = options or {}
    options.bearer = options.bearer or gateway:bearer({ actor = command.id("actor") })
    options.run_id = options.run_id or make.run_id
    return gateway:stream(options)
  end

  local function until_time(stream, time)
    stream:find("the time to pass on heartbeats", function()
      return clock.now() > time
    end)
  end

  it("has a head that keeps proxies from buffering, changing or keeping it", function()
    local headers = open().response.headers
    assert.matches("^text/event%-stream", headers["content-type"])
    assert.matches("no%-store", headers["cache-control"])
    assert.matches("no%-transform", headers["cache-control"])
    assert.equal("no", headers["x-accel-buffering"])
    assert.is_nil(headers["content-length"])
    assert.is_nil(headers["content-encoding"])
  end)

  it("flushes head and verdict before anything happens in the run", function()
    local stream = open({ cursor = "now" })
    assert.equal("resume", stream:block().event)
  end)

  it("beats with comments, which carry neither data nor id", function()
    local stream = open({ cursor = "now" })
    stream:expect("resume")
    for _ = 1, 3 do
      local beat = stream:block()
      assert.equal(1, #beat.comments)
      assert.is_nil(beat.data)
      assert.is_nil(beat.id)
      assert.is_nil(beat.event)
    end
  end)

  it("gives a quiet canvas a bare id every 1,024 seqs, which resumes exactly", function()
    local other = command.maker({ run_id = make.run_id, canvas_id = "c2" })
    local commands = { make:mount(), other:mount() }
    for i = 1, 1100 do
      commands[#commands + 1] = other:insert("b" .. i)
    end
    local stream = open({ canvas_id = "c1" })
    stream:expect("resume")
    gateway:send_all(ann, commands)
    local ready = stream:find("the mount", function(frame) return frame.event == "CANVAS_READY" end)
    local bare = stream:find("a bare id", function(frame) return frame.id end)
    assert.is_nil(bare.data)
    assert.is_nil(bare.event)
    assert.not_equal(ready.id, bare.id)
    local again = open({ canvas_id = "c1", last_event_id = bare.id })
    assert.equal("exact", again:expect("resume").json.data.status)
    local answer = gateway:send(ann, make:insert("b1"))
    assert.equal(answer.events, 1)
    assert.equal("b1", again:expect("state_patch").json.data.ops[1].id)
    assert.equal(1, #again.carried)
  end)

  it("has the same bare ids on replay", function()
    local other = command.maker({ run_id = make.run_id, canvas_id = "c2" })
    local commands = { make:mount(), other:mount() }
    for i = 1, 2100 do
      commands[#commands + 1] = other:insert("b" .. i)
    end
    commands[#commands + 1] = make:insert("last")
    local live = open({ canvas_id = "c1" })
    live:expect("resume")
    gateway:send_all(ann, commands)
    local function is_last(frame)
      return frame.event == "state_patch"
    end
    live:find("the last event", is_last)
    local replayed = open({ canvas_id = "c1", cursor = "earliest" })
    replayed:find("the last event", is_last)
    assert.equal(4, #live.carried)
    assert.same(live.carried, replayed.carried)
  end)

  it("warns before its bearer ends, then ends with a goaway that says why", function()
    local stream = open({ bearer = gateway:bearer({ actor = "short", ttl = 2 }), cursor = "now" })
    local verdict = stream:expect("resume").json.data
    local warning = stream:expect("auth_expiring").json.data
    assert.equal(verdict.expires_at, warning.expires_at)
    assert.equal("/v1/streams/" .. verdict.stream_id .. "/renew", warning.renew)
    local bye = stream:expect("goaway")
    assert.equal("bearer_expired", bye.json.data.reason)
    assert.equal("auth", bye.json.data.retry)
    assert.is_nil(bye.id)
    assert.is_true(stream:is_ended())
  end)

  it("goes on past the end of its bearer when it was renewed", function()
    local ends_at = os.time() + 2
    local stream = open({ bearer = gateway:bearer({ actor = "kept", ttl = 2 }), cursor = "now" })
    local id = stream:expect("resume").json.data.stream_id
    local fresh = gateway:bearer({ actor = "kept", ttl = 600 })
    local answer = gateway:post("/v1/streams/" .. id .. "/renew", fresh, gateway:ids({ run_id = make.run_id }))
    assert.equal(200, answer.status)
    assert.equal(id, answer.json.stream_id)
    until_time(stream, ends_at + 0.7)
    gateway:send_all(ann, { make:mount() })
    stream:find("an event after the old end", function(frame) return frame.event == "CANVAS_READY" end)
  end)

  it("is renewed by the same actor, tenant and role alone", function()
    local stream = open({ bearer = gateway:bearer({ actor = "mine" }), cursor = "now" })
    local path = "/v1/streams/" .. stream:expect("resume").json.data.stream_id .. "/renew"
    local foreign = {
      gateway:bearer({ actor = "other" }),
      gateway:bearer({ actor = "mine", tenant = "globex" }),
      gateway:bearer({ actor = "mine", role = "viewer" }),
      gateway:bearer({ actor = "mine", kind = "agent" }),
      gateway:bearer({ actor = "mine", projects = support.json.array({ "p2" }) }),
      gateway:bearer({ actor = "mine", tokens = support.json.array({ "plan.title" }) }),
    }
    for i, bearer in ipairs(foreign) do
      local answer = gateway:post(path, bearer, gateway:ids({ run_id = make.run_id }))
      assert.equal(403, answer.status, "bearer " .. i)
    end
  end)

  it("ends with its own bearer when a renewal was refused", function()
    local stream = open({ bearer = gateway:bearer({ actor = "mine", ttl = 2 }), cursor = "now" })
    local verdict = stream:expect("resume").json.data
    local function renew(bearer)
      local answer = gateway:post("/v1/streams/" .. verdict.stream_id .. "/renew", bearer, gateway:ids({ run_id = make.run_id }))
      return answer.status .. " " .. answer.json.code
    end
    assert.equal("403 not_covered", renew(gateway:bearer({ actor = "other", ttl = 600 })))
    assert.equal("401 bearer_expired", renew(gateway:bearer({ actor = "mine", ttl = -60 })))
    assert.equal("401 bearer_signature", renew(gateway:bearer({ actor = "mine", ttl = 600 }):sub(1, -8) .. "AAAAAAA"))
    local bye = stream:find("its end", function(frame) return frame.event == "goaway" end)
    assert.equal("bearer_expired", bye.json.data.reason)
    assert.is_true(stream:is_ended())
  end)

  it("cannot be renewed when it is not there", function()
    for _, id in ipairs({ "w0.AAAAAAAAAAAAAAAAAAAAAA", "w99.AAAAAAAAAAAAAAAAAAAAAA", "w0", "x", "w-1.A", ("w"):rep(200) }) do
      local answer = gateway:post("/v1/streams/" .. id .. "/renew", ann, gateway:ids({}))
      assert.equal(404, answer.status)
      assert.equal("no_such_stream", answer.json.code)
    end
  end)

  it("is one of at most as many of an actor as is configured", function()
    local bearer, streams = gateway:bearer({ actor = "many" }), {}
    for i = 1, 3 do
      streams[i] = open({ bearer = bearer })
      streams[i]:expect("resume")
    end
    local verdict = open({ bearer = bearer }):expect("resume").json.data -- in band: a browser gives up on any status but 200
    assert.equal("retry", verdict.status)
    assert.equal("too_many_streams", verdict.reason)
    streams[1]:close()
    local again
    clock.until_true("room for another stream", function()
      again = open({ bearer = bearer })
      return again:expect("resume").json.data.status == "fresh"
    end)
  end)

  it("tells every frame's scope: tenant, mode, project, surface, app, run, and the canvas where there is one", function()
    gateway:send_all(ann, { make:mount(), make:insert("b1"), make:tokens({ ["plan.days"] = 2 }), make("canvas.commit") })
    local stream = open({ cursor = "earliest", bearer = gateway:bearer({ actor = "short", ttl = 3 }) })
    for _, frame in ipairs(stream:rest()) do
      for _, name in ipairs({ "tenant_id", "mode", "project_id", "surface_id", "app_id", "run_id" }) do
        if frame.data then
          assert.is_truthy(frame.json[name], name .. " of " .. frame.raw)
          assert.not_equal("", frame.json[name])
        end
      end
      if frame.data then
        assert.equal(frame.event, frame.json.type)
        assert.equal(make.run_id, frame.json.run_id)
        assert.is_truthy(frame.json.ts and frame.json.actor and frame.json.actor.id and frame.json.actor.kind and frame.json.data)
        assert.is_nil(frame.data:find("\n", 1, true))
      end
    end
  end)

  it("says retry and ends when the process holds as many runs as it may", function()
    local small = support.start({ config = "return { limits = { max_runs = 1 } }", env = { ATOMS_WORKERS = 1 } })
    local first = small:stream({ bearer = ann, run_id = "first" })
    first:expect("resume")
    local second = small:stream({ bearer = ann, run_id = "second" })
    local verdict = second:block()
    assert.equal("retry", verdict.json.data.status)
    assert.equal("overload", verdict.json.data.reason)
    assert.is_number(verdict.retry)
    assert.is_true(second:is_ended())
  end)

  it("is told goaway when the process ends in order", function()
    local other = support.start({})
    local stream = other:stream({ bearer = ann, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    assert.equal(0, other:stop())
    local bye = stream:expect("goaway")
    assert.equal("now", bye.json.data.retry)
    assert.is_number(bye.json.data.after_ms)
    assert.is_string(bye.json.data.reason)
    assert.is_true(stream:is_ended())
  end)

  it("cannot follow other requests on one connection", function()
    local connection = gateway:connect()
    local head = ("GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n")
    local state = head:format("/v1/state" .. support.http.query(gateway:ids({ run_id = make.run_id })), ann)
    local stream = head:format("/v1/stream" .. support.http.query(gateway:ids({ run_id = make.run_id })), ann)
    connection:send(state .. stream)
    assert.equal(200, connection:response().status)
    local answer = connection:response_head()
    assert.is_true(answer.status == 200 or answer.status == 409)
    connection:close()
  end)

  it("resets a replay that is longer than the limit", function()
    local small = support.start({ config = "return { limits = { max_replay_events = 5 } }" })
    local maker = command.maker()
    local answers = small:send_all(ann, command.history(maker, 20))
    local function verdict(cursor)
      local stream = small:stream({ bearer = ann, run_id = maker.run_id, cursor = cursor })
      stream:expect("resume")
      return stream.verdict
    end
    assert.equal("exact", verdict(answers[15].cursor).status)
    assert.equal("replay_limit", verdict(answers[14].cursor).reason)
    assert.equal("replay_limit", verdict("earliest").reason)
  end)
end)

describe("a cursor over the lives of a data folder", function()
  local ann, make

  before_each(function()
    make = command.maker()
  end)

  after_each(support.stop_all)

  local function verdict(gateway, cursor)
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, last_event_id = cursor })
    stream:expect("resume")
    return stream.verdict
  end

  it("is future where the spine went back to an older copy", function()
    local gateway = support.start({})
    ann = gateway:bearer({})
    gateway:send_all(ann, command.history(make, 5))
    gateway:stop()
    support.shell.must({ "cp", "-r", gateway.data_dir, gateway.folder .. "/copy" })
    gateway:restart()
    local cursor = gateway:send(ann, make:tokens({ ["plan.days"] = 3 })).cursor
    gateway:stop()
    support.shell.must({ "rm", "-r", gateway.data_dir })
    support.shell.must({ "mv", gateway.folder .. "/copy", gateway.data_dir })
    gateway:restart()
    assert.same({ "reset", "future" }, { verdict(gateway, cursor).status, verdict(gateway, cursor).reason })
  end)

  it("is of another epoch where the run was begun anew", function()
    local gateway = support.start({ env = { ATOMS_SEAL_KEYS = ("A"):rep(42) .. "E" } })
    ann = gateway:bearer({})
    local cursor = gateway:send_all(ann, command.history(make, 5))[3].cursor
    gateway:stop()
    support.shell.must({ "sh", "-c", "rm -f " .. gateway.data_dir .. "/spine.db*" })
    gateway:restart()
    gateway:send_all(ann, command.history(make, 9))
    assert.equal("other_epoch", verdict(gateway, cursor).reason)
  end)

  it("opens as long as its key is in the ring, whichever seals", function()
    local old, new = ("A"):rep(42) .. "E", ("B"):rep(42) .. "E"
    local gateway = support.start({ env = { ATOMS_SEAL_KEYS = old } })
    ann = gateway:bearer({})
    local cursor = gateway:send_all(ann, command.history(make, 5))[3].cursor
    gateway.env.ATOMS_SEAL_KEYS = new .. "," .. old
    gateway:restart()
    assert.equal("exact", verdict(gateway, cursor).status)
    assert.not_equal(cursor, gateway:send(ann, make:tokens({ ["plan.days"] = 3 })).cursor)
    gateway.env.ATOMS_SEAL_KEYS = new
    gateway:restart()
    assert.equal("garbled", verdict(gateway, cursor).reason)
  end)

  it("outlives a restart with the key that the data folder holds", function()
    local gateway = support.start({})
    ann = gateway:bearer({})
    local cursor = gateway:send_all(ann, command.history(make, 5))[3].cursor
    gateway:kill()
    gateway:restart()
    assert.equal("exact", verdict(gateway, cursor).status)
  end)
end)
