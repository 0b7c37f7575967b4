-- Everything at once for a while: writers, streams that leave and resume on all workers, reads, renewals, operators, runs that unload and
-- folded again; then SIGTERM in the middle. Made for the thread sanitizer (ATOMS_BIN=build/tsan/atoms), of use with any build.
-- ATOMS_MIXED_SECONDS is how long (default 5), ATOMS_SPEC_SEED where the random numbers begin.

local socket = require("socket")
local follower = require("hostile.follower")
local support = require("support")
local typist = require("hostile.typist")
local clock, command, http, json = support.clock, support.command, support.http, support.json

local SECONDS = tonumber(os.getenv("ATOMS_MIXED_SECONDS") or "5")
local SEED = tonumber(os.getenv("ATOMS_SPEC_SEED") or "1")
local RUNS, FOLLOWERS = 4, 6

describe("a mixed load", function()
  local gateway, ann, runs

  setup(function()
    math.randomseed(SEED)
    local config = [[return { limits = {
      ring_bytes = 8192, block_cache_bytes = 1048576, checkpoint_events = 64, run_idle_ms = 150, view_idle_ms = 150, heartbeat_ms = 100,
    } }]]
    gateway = support.start({ config = config, env = { ATOMS_WORKERS = 3, ATOMS_LOG_LEVEL = "info" } })
    ann = gateway:bearer({})
    runs = {}
    for i = 1, RUNS do
      local make = command.maker()
      gateway:send(ann, make:mount())
      local run = { make = make, run_id = make.run_id, followers = {} }
      for j = 1, FOLLOWERS do
        local canvas_id = j % 2 == 0 and "c1" or nil
        run.followers[j] = follower.new({ gateway = gateway, bearer = ann, run_id = run.run_id, canvas_id = canvas_id })
      end
      run.typist = typist.new({ gateway = gateway, bearer = ann, connections = 2, in_flight = 16, next_command = typist.mixed(make) })
      runs[i] = run
    end
  end)

  teardown(support.stop_all)

  local function each_peer(visit)
    for _, run in ipairs(runs) do
      visit(run.typist)
      for _, peer in ipairs(run.followers) do
        visit(peer)
      end
    end
  end

  local function turn(seconds)
    local sockets = {}
    each_peer(function(peer)
      peer:sockets(sockets)
    end)
    for _, raw in ipairs((socket.select(sockets, nil, seconds))) do
      each_peer(function(peer)
        peer:on_readable(raw)
      end)
    end
  end

  local function reconnect(peer)
    if not peer.has_ended then
      peer.connection:close()
    end
    peer:connect()
  end

  local function renew(peer)
    local id = peer.verdict and peer.verdict.stream_id
    if id then
      local answer = gateway:post("/v1/streams/" .. id .. "/renew", gateway:bearer({ ttl = math.random(1000, 2000) }), "{}")
      assert.is_true(answer.status == 200 or answer.status == 404, answer.body)
    end
  end

  --- A run that nobody writes to: it is loaded, left, unloaded, folded again.
  local function visit_quiet(run)
    local peer = follower.new({ gateway = gateway, bearer = gateway:bearer({ actor = "bob", tokens = { "plan.*" } }), run_id = run.run_id })
    peer:connect()
    peer.connection:close()
    assert.is_not_nil(gateway:state(ann, { run_id = run.run_id }).cursor)
  end

  local acts = {
    function(run) reconnect(run.followers[math.random(#run.followers)]) end,
    function(run) reconnect(run.followers[math.random(#run.followers)]) end,
    function(run) renew(run.followers[math.random(#run.followers)]) end,
    function(run) gateway:state(ann, { run_id = run.run_id }) end,
    function(run) gateway:events(ann, { run_id = run.run_id, limit = math.random(1, 300) }) end,
    function(run) visit_quiet(run) end,
    function() gateway:admin("/metrics") end,
    function() gateway:admin("/admin/streams") end,
    function(run) assert.equal(401, gateway:get("/v1/state", "no.bearer.at-all", gateway:ids({ run_id = run.run_id })).status) end,
    function(run) -- a stream that is gone before its verdict
      local connection = gateway:connect()
      local path = "/v1/stream" .. http.query(gateway:ids({ run_id = run.run_id }))
      connection:request({ path = path, headers = { Authorization = "Bearer " .. ann } })
      connection:close()
    end,
    function(run) -- a repeat while others write
      local sent = run.typist.sent
      local entry = sent[math.random(#sent)]
      if entry.answer then
        assert.equal(entry.answer, gateway:post("/v1/commands", ann, entry.body).body)
      end
    end,
    function() visit_quiet({ run_id = command.run() }) end,
  }

  it("ends in order, with every stream whole", function()
    each_peer(function(peer)
      peer:connect()
    end)
    local over = clock.now() + SECONDS
    while clock.now() < over do
      turn(0.01)
      local run = runs[math.random(#runs)]
      acts[math.random(#acts)](run)
    end
    gateway:signal("TERM")
    local deadline = clock.deadline()
    repeat
      assert(clock.now() < deadline, "the connections do not end")
      turn(0.2)
      local is_over = true
      each_peer(function(peer)
        is_over = is_over and peer:is_over()
      end)
    until is_over
    assert.equal(0, gateway:wait())

    gateway:restart()
    for _, run in ipairs(runs) do
      for _, peer in ipairs(run.followers) do
        assert.is_true(#peer.parts > 0)
        assert.is_true(peer:text() == follower.read_whole(peer), "a stream that came and went differs from one that stayed")
      end
      for _, entry in ipairs(run.typist.sent) do
        assert.is_true(entry.status == nil or entry.status == 200 or entry.status == 503, entry.answer)
        assert.is_true(not entry.answer or entry.status == 503 or json.must(entry.answer).status == "committed")
      end
    end
  end)
end)
