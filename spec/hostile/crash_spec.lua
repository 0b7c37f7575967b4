-- kill -9 at random moments, always with 64 commands in flight: what was acknowledged is there, once, and is said again in the same bytes;
-- streams go on where they were cut. ATOMS_CRASH_ROUNDS is how often (default 12), ATOMS_SPEC_SEED where the random numbers begin.

local socket = require("socket")
local follower = require("hostile.follower")
local support = require("support")
local typist = require("hostile.typist")
local clock, command, shell = support.clock, support.command, support.shell

local ROUNDS = tonumber(os.getenv("ATOMS_CRASH_ROUNDS") or "12")
local SEED = tonumber(os.getenv("ATOMS_SPEC_SEED") or tostring(os.time()))
local RUNS, CONNECTIONS, IN_FLIGHT = 2, 4, 64
local LONGEST_LIFE_SECONDS = 0.4

describe("kill -9", function()
  local gateway, ann, runs

  setup(function()
    math.randomseed(SEED)
    local config = "return { limits = { checkpoint_events = 256, ring_bytes = 65536, run_idle_ms = 500 } }"
    gateway = support.start({ env = { ATOMS_LOG_LEVEL = "info" }, config = config })
    ann = gateway:bearer({ ttl = 86400 })
    runs = {}
    for i = 1, RUNS do
      local make = command.maker()
      gateway:send(ann, make:mount())
      local run = { make = make, run_id = make.run_id, sent = {}, followers = {} }
      for j, canvas_id in ipairs({ "c1", false }) do
        run.followers[j] = follower.new({ gateway = gateway, bearer = ann, run_id = run.run_id, canvas_id = canvas_id })
      end
      run.typist = typist.new({ gateway = gateway, bearer = ann, connections = CONNECTIONS // RUNS, in_flight = IN_FLIGHT // RUNS,
        next_command = typist.mixed(make) })
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

  --- From another process, so that the moment does not depend on what this one does.
  local function kill_after(seconds)
    os.execute(("sh -c 'sleep %.4f; kill -9 %d' </dev/null >/dev/null 2>&1 &"):format(seconds, gateway.pid))
  end

  local function is_over()
    local over = true
    each_peer(function(peer)
      over = over and peer:is_over()
    end)
    return over
  end

  local function run_until_dead()
    local deadline = clock.deadline(LONGEST_LIFE_SECONDS + 20)
    while not is_over() do
      assert(clock.now() < deadline, "the connections do not end")
      local sockets = {}
      each_peer(function(peer)
        peer:sockets(sockets)
      end)
      for _, raw in ipairs((socket.select(sockets, nil, 0.5))) do
        each_peer(function(peer)
          peer:on_readable(raw)
        end)
      end
    end
  end

  --- Now and then the new life ends while it begins.
  local function kill_at_birth()
    local life = gateway.life + 1
    local pid_file = ("%s/%d.pid"):format(gateway.folder, life)
    os.execute(("sh -c 'while ! test -s %s; do :; done; sleep %.4f; kill -9 $(cat %s)' </dev/null >/dev/null 2>&1 &"):format(
      pid_file, math.random() * 0.05, pid_file))
    local ok = pcall(gateway.restart, gateway)
    if ok then
      gateway:wait()
    end
  end

  --- What the spine holds of a run behind a cursor: how often a command id is the cause of an event, how many
  --- events there are, the last cursor.
  local function causes_of(run, after)
    local causes, count = {}, 0
    repeat
      local page = gateway:events(ann, { run_id = run.run_id, after = after, limit = 1000 })
      for _, entry in ipairs(page.events) do
        local cause = entry.event.cause
        if cause then -- else the gateway's own, as when a manifest has changed
          causes[cause] = (causes[cause] or 0) + 1
          count = count + 1
        end
      end
      after = page.cursor
    until not page.has_more
    return causes, count, after
  end

  local function where(run, what)
    return ("seed %d, run %s: %s"):format(SEED, run.run_id, what)
  end

  local function check_acknowledged(run, sent)
    local causes, count = causes_of(run, run.checked)
    for _, entry in ipairs(sent) do
      assert.is_true(entry.status == nil or entry.status == 200, where(run, tostring(entry.answer)))
      local times, expected = causes[entry.id] or 0, entry.answer and support.json.must(entry.answer).events
      local is_right = times == expected or (not expected and times <= 1)
      assert.is_true(is_right, where(run, ("%s is there %d times: %s → %s"):format(entry.id, times, entry.body, entry.answer)))
    end
    local answers = typist.repeat_all(gateway, ann, sent)
    local unseen = 0
    for i, entry in ipairs(sent) do
      assert.is_nil(answers[i]:match("^%d"), where(run, answers[i]))
      unseen = unseen + support.json.must(answers[i]).events - (causes[entry.id] or 0)
      if entry.answer then
        assert.equal(entry.answer, answers[i], where(run, "the repeat of " .. entry.id .. " is answered differently"))
      end
      entry.answer = answers[i]
    end
    local _, after
    _, after, run.checked = causes_of(run, run.checked)
    assert.equal(count + unseen, after, where(run, "repeats have made events"))
  end

  local function check_all()
    for _, run in ipairs(runs) do
      check_acknowledged(run, run.typist.sent)
      table.move(run.typist.sent, 1, #run.typist.sent, #run.sent + 1, run.sent)
      run.typist.sent = {}
    end
  end

  --- With the sqlite3 program at hand the seqs themselves are looked at; without it the spine's own refusal of holes has to do.
  local function check_dense()
    if shell.run({ "sh", "-c", "command -v sqlite3" }).code ~= 0 then
      return
    end
    local query = "SELECT run, first, last FROM record ORDER BY run, first"
    local expected = {}
    for line in shell.must({ "sqlite3", "-readonly", gateway.data_dir .. "/spine.db", query }):gmatch("[^\n]+") do
      local run, first, last = line:match("^(%d+)|(%d+)|(%d+)$")
      assert.equal(expected[run] or 1, tonumber(first))
      expected[run] = tonumber(last) + 1
    end
  end

  local rounds, acknowledged, is_broken = 0, 0, false
  for round = 1, ROUNDS do
    it(("loses nothing that was acknowledged (%d)"):format(round), function()
      assert.is_false(is_broken, "an earlier round failed")
      is_broken = true
      each_peer(function(peer)
        peer:connect()
      end)
      kill_after(math.random() * LONGEST_LIFE_SECONDS)
      run_until_dead()
      assert.equal(137, gateway:wait())
      for _, run in ipairs(runs) do
        acknowledged = acknowledged + run.typist.answered
        run.typist.answered = 0
      end
      if round % 4 == 0 then
        kill_at_birth()
      end
      gateway:restart()
      check_all()
      rounds, is_broken = rounds + 1, false
    end)
  end

  it("has met commands that were acknowledged", function()
    assert.equal(ROUNDS, rounds)
    assert.is_true(acknowledged >= ROUNDS * IN_FLIGHT, acknowledged)
  end)

  it("leaves streams whole that were cut each time", function()
    for _, run in ipairs(runs) do
      for _, peer in ipairs(run.followers) do
        peer:connect()
        local page = gateway:events(ann, { run_id = run.run_id, canvas_id = peer.canvas_id or nil, after = peer.last_id, limit = 1000 })
        if #page.events > 0 then
          peer:read_up_to(page.events[#page.events].id)
        end
        peer.connection:close()
        assert.is_true(peer:text() == follower.read_whole(peer), where(run, "a stream that was cut differs from one that was not"))
      end
    end
  end)

  it("leaves every answer of all lives to be had again", function()
    for _, run in ipairs(runs) do
      local answers = typist.repeat_all(gateway, ann, run.sent)
      for i, entry in ipairs(run.sent) do
        assert.equal(entry.answer, answers[i])
      end
      local causes, count = causes_of(run)
      for _, entry in ipairs(run.sent) do
        local events = support.json.must(entry.answer).events
        assert.equal(events, causes[entry.id] or 0)
        count = count - events
      end
      assert.equal(1, count) -- the mount
    end
    assert.equal(0, gateway:stop())
    check_dense()
  end)
end)
