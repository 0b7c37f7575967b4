-- Readers that do not read while their run is busy: they cost no memory in proportion to what they miss, nobody else waits for them, the
-- operator sees who they are, and what they read later is complete.

local support = require("support")
local clock, command, shell = support.clock, support.command, support.shell

local STALLED, ROUNDS, BATCH, TEXT_BYTES = 10, 30, 64, 8000
local ALLOWED_GROWTH_KIB = 48 * 1024

describe("readers that never read", function()
  local gateway, ann, make

  before_each(function()
    local config = "return { limits = { ring_bytes = 1048576, block_cache_bytes = 4194304, heartbeat_ms = 3600000 } }"
    -- The quarantine of the address sanitizer would hide what the program itself keeps.
    local asan = "exitcode=99:detect_leaks=1:quarantine_size_mb=1:malloc_context_size=5"
    gateway = support.start({ config = config, env = { ASAN_OPTIONS = asan } })
    ann = gateway:bearer({})
    make = command.maker()
    gateway:send(ann, make:mount())
  end)

  after_each(support.stop_all)

  --- The thread sanitizer keeps several times what the program keeps.
  local function is_measurable()
    return not shell.read(("/proc/%d/maps"):format(gateway.pid)):find("libtsan", 1, true)
  end

  local function resident_kib()
    return tonumber(shell.read(("/proc/%d/status"):format(gateway.pid)):match("VmRSS:%s+(%d+)"))
  end

  --- A stream of raw bytes behind the verdict, which is read.
  local function open(actor)
    local stream = gateway:stream({ bearer = gateway:bearer({ actor = actor }), run_id = make.run_id, cursor = "earliest" })
    local verdict = stream:expect("resume")
    assert.equal("exact", verdict.json.data.status)
    local text = ""
    for _, frame in ipairs(stream.frames) do
      text = text .. frame.raw
    end
    text = text .. stream.parser.text
    return { connection = stream.connection, id = verdict.json.data.stream_id, parts = { text }, tail = text }
  end

  --- Reads until the frame with this cursor is whole.
  local function read_up_to(reader, cursor)
    local deadline = clock.deadline()
    local mark = "id: " .. cursor .. "\n"
    local _, at = reader.tail:find(mark, 1, true)
    while not at or not reader.tail:find("\n\n", at, true) do
      local bytes, message = reader.connection:read_some(deadline)
      assert(bytes, message)
      reader.parts[#reader.parts + 1] = bytes
      -- A frame may be cut anywhere, so a frame's length of text is looked at again.
      reader.tail = reader.tail:sub(at or -2 * TEXT_BYTES) .. bytes
      _, at = reader.tail:find(mark, 1, true)
    end
  end

  --- Without presence, of which each is told the newest only.
  local function text_of(reader)
    return (table.concat(reader.parts):gsub("event: presence\n.-\n\n", ""))
  end

  local prose = ("The quick brown fox jumps over the lazy dog. "):rep(TEXT_BYTES // 45)

  --- One batch of large events; each block goes when the next one comes, so that the state stays small.
  local function busy(round)
    local batch = {}
    for i = 1, BATCH // 2 do
      local id = ("b%d-%d"):format(round, i)
      batch[#batch + 1] = make:insert(id, { text = prose })
      batch[#batch + 1] = make("block.remove", { id = id })
    end
    local answers = gateway:send(ann, batch)
    for _, answer in ipairs(answers) do
      assert.equal("committed", answer.status)
    end
    return answers[#answers].cursor
  end

  it("cost bounded memory, are named, hold nobody up, and resume exactly", function()
    local good, stalled = open("good"), {}
    for i = 1, STALLED do
      stalled[i] = open("stalled-" .. i)
    end
    local cursor = busy(0)
    read_up_to(good, cursor)
    local before = resident_kib()
    for round = 1, ROUNDS do
      cursor = busy(round)
      read_up_to(good, cursor)
    end
    local sent_kib = #text_of(good) // 1024
    local grown = resident_kib() - before
    local is_bounded = grown < ALLOWED_GROWTH_KIB or not is_measurable()
    assert.is_true(is_bounded, ("%d KiB more after %d KiB for each of %d readers"):format(grown, sent_kib, STALLED))

    local rows = {}
    for _, row in ipairs(gateway:admin("/admin/streams").json.slowest) do
      rows[row.stream_id] = row
    end
    for i, reader in ipairs(stalled) do
      local row = assert(rows[reader.id], "a stalled stream is not listed")
      assert.is_true(row.is_blocked)
      assert.is_true(row.lag_seqs > 0)
      assert.is_true(row.unsent_bytes > 0)
      assert.equal("stalled-" .. i, row.actor)
    end
    assert.is_false(rows[good.id].is_blocked)
    assert.is_true(gateway:metric("atoms_slowest_stream_lag_seqs") > 0)

    for _, reader in ipairs(stalled) do
      read_up_to(reader, cursor)
      assert.is_true(text_of(reader) == text_of(good), "a stalled stream read something else than the others")
      reader.connection:close()
      reader.parts = nil
    end
  end)
end)
