-- Peers that are slow, stop in the middle, or vanish: each costs a bounded time, and nothing is left of it.

local support = require("support")
local wire = require("hostile.wire")
local clock, command = support.clock, support.command

describe("a peer", function()
  local gateway, ann, make

  setup(function()
    local config = [[return { limits = {
      header_timeout_ms = 300, body_timeout_ms = 300, idle_timeout_ms = 900, heartbeat_ms = 200, chat_lease_ms = 1500,
    } }]]
    gateway = support.start({ env = { ATOMS_WORKERS = 1 }, config = config })
    ann = gateway:bearer({})
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    gateway:send(ann, make:mount())
  end)

  --- Sends one piece after the other, a twentieth of a second apart, until the gateway ends it. What it answered, and after how long.
  local function trickle(pieces)
    local connection, started, text = gateway:connect(), clock.now(), ""
    local give_up = clock.deadline()
    for i = 1, math.huge do
      if pieces[i] then
        connection:send(pieces[i])
      end
      local bytes, message = connection:read_some(clock.deadline(0.05))
      text = text .. (bytes or "")
      if message == "closed" then
        break
      end
      assert(clock.now() < give_up, "it is not ended")
    end
    connection:close()
    return wire.codes(wire.answers(text)), clock.now() - started
  end

  local function bytes_of(text)
    local pieces = {}
    for i = 1, #text do
      pieces[i] = text:sub(i, i)
    end
    return pieces
  end

  it("that sends nothing is ended", function()
    local answer, seconds = trickle({})
    assert.equal("", answer)
    assert.is_true(seconds >= 0.25 and seconds < 2, seconds)
  end)

  it("that sends a head byte by byte has the time of one head", function()
    local answer, seconds = trickle(bytes_of(wire.request({ path = "/healthz" })))
    assert.equal("408 request_timeout", answer)
    assert.is_true(seconds < 2, seconds)
  end)

  it("has that time for each head", function()
    local healthz = wire.request({ path = "/healthz" })
    local rest = " HTTP/1.1\r\nHost: h\r\n\r\nGET"
    local answer = trickle({ healthz .. "GET", " /heal", "thz" .. rest, " /nothing", rest })
    assert.equal("200 200 404 no_such_route 408 request_timeout", answer)
  end)

  it("that stops in a body is told so", function()
    local bytes = wire.command(ann, make:tokens({ ["plan.days"] = 3 }))
    local before = gateway:metric("atoms_timeouts_total")
    assert.equal("408 request_timeout", (trickle({ bytes:sub(1, -2) })))
    assert.equal(before + 1, gateway:metric("atoms_timeouts_total"))
    assert.equal(1, #gateway:events(ann, { run_id = make.run_id }).events)
  end)

  it("that sends a body byte by byte has the time of one body", function()
    local bytes = wire.command(ann, make:tokens({ ["plan.days"] = 3 }))
    local head = bytes:match("^.-\r\n\r\n")
    local pieces = bytes_of(bytes:sub(#head + 1))
    table.insert(pieces, 1, head)
    local answer, seconds = trickle(pieces)
    assert.equal("408 request_timeout", answer)
    assert.is_true(seconds < 2, seconds)
  end)

  it("that keeps a pace has more time for a large body", function()
    local bytes = wire.command(ann, { make:tokens({ ["plan.days"] = 3 }) }):gsub("Content%-Length: (%d+)", function(length)
      return "Content-Length: " .. length + 650000
    end) .. (" "):rep(650000)
    local pieces = {}
    for at = 1, #bytes, 66000 do
      pieces[#pieces + 1] = bytes:sub(at, at + 65999)
    end
    local answer, seconds = trickle(pieces)
    assert.equal("200", answer)
    assert.is_true(seconds > 0.45, seconds)
  end)

  it("that asks nothing more is ended", function()
    local answer, seconds = trickle({ wire.request({ path = "/healthz" }) })
    assert.equal("200", answer)
    assert.is_true(seconds >= 0.8, seconds)
  end)

  it("that reads a stream is not idle", function()
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    local beats, over = 0, clock.now() + 1.5
    while clock.now() < over do
      beats = beats + #stream:block().comments
    end
    assert.is_true(beats >= 5, beats)
    stream:close()
  end)

  it("that half-closes its stream ends it", function()
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    stream.connection.raw:shutdown("send")
    assert.is_true(stream:is_ended())
  end)

  describe("that streams tokens", function()
    local id

    before_each(function()
      id = command.id("m")
      gateway:send(ann, make("chat_send", { message_id = id, stream = true }))
    end)

    local function path()
      return "/v1/chat/" .. id .. "/tokens"
    end

    local function begin()
      local connection = gateway:connect()
      connection:send(wire.request({
        method = "POST", path = path() .. support.http.query(gateway:ids({ run_id = make.run_id })),
        headers = { "Authorization: Bearer " .. ann, "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked" },
      }))
      return connection
    end

    local function write(connection, bytes)
      connection:send(("%x\r\n%s\r\n"):format(#bytes, bytes))
    end

    --- Writes `bytes` every `pause` seconds until the gateway answers, or `seconds` are over: then nil.
    local function pace(connection, bytes, pause, seconds)
      local over, text = clock.now() + seconds, ""
      while clock.now() < over do
        write(connection, bytes)
        local more = connection:read_some(clock.deadline(pause))
        text = text .. (more or "")
        local answer = wire.parse_answer(text, 1)
        if answer then
          return answer
        end
      end
    end

    it("has all the time that it takes, as long as lines come", function()
      local connection = begin()
      assert.is_nil(pace(connection, '{"text":"word "}\n', 0.8, 4))
      write(connection, '{"end":"done"}\n')
      connection:send("0\r\n\r\n")
      local answer = connection:response()
      assert.equal(200, answer.status)
      local message = gateway:state(ann, { run_id = make.run_id }).chat.messages[id]
      assert.same({ ("word "):rep(#message.text // 5), "done" }, { message.text, message["end"] })
      assert.is_true(#message.text >= 25, message.text)
      connection:close()
    end)

    it("is told that its lease is over when it falls silent, in a line or between two", function()
      for _, bytes in ipairs({ '{"text":"word "}\n', '{"text":"wo' }) do
        id = command.id("m")
        gateway:send(ann, make("chat_send", { message_id = id, stream = true }))
        local connection = begin()
        write(connection, bytes)
        local started, answer = clock.now(), connection:response()
        assert.same({ 409, "aborted" }, { answer.status, support.json.must(answer.body)["end"] })
        assert.is_true(clock.now() - started > 1.4)
        connection:close()
      end
    end)

    it("lives by lines, not by bytes", function()
      local connection = begin()
      write(connection, '{"text":"')
      local answer = pace(connection, "a", 0.05, 10)
      assert.same({ 409, "aborted" }, { answer.status, answer.json["end"] })
      connection:close()
    end)

    it("is told when its bearer ends, and goes on with a fresh one", function()
      local whole = ann
      ann = gateway:bearer({ ttl = 2 })
      local connection = begin()
      local answer = pace(connection, '{"text":"word "}\n', 0.5, 10)
      ann = whole
      assert.same({ 401, "bearer_expired" }, { answer.status, answer.code })
      local next_offset = gateway:post(path(), ann, gateway:ids({ run_id = make.run_id })).json.next_offset
      assert.is_true(next_offset >= 10, next_offset)
      assert.equal(200, gateway:post(path(), ann, gateway:ids({ run_id = make.run_id, offset = next_offset, ["end"] = "done" })).status)
      connection:close()
    end)

    it("cannot live on what others post to its message", function()
      local connection, over, text = begin(), clock.now() + 15, ""
      local answer
      repeat
        assert.equal(200, gateway:post(path(), ann, gateway:ids({ run_id = make.run_id })).status)
        text = text .. (connection:read_some(clock.deadline(0.2)) or "")
        answer = wire.parse_answer(text, 1)
      until answer or clock.now() > over
      assert.same({ 408, "request_timeout", "chat_lease_ms", 1500 },
        { answer.status, answer.code, answer.limit.name, answer.limit.value })
      connection:close()
    end)
  end)

  describe("that resets its connection", function()
    local function reset(connection)
      connection.raw:setoption("linger", { on = true, timeout = 0 })
      connection:close()
    end

    local function path_of(resource)
      return resource .. support.http.query(gateway:ids({ run_id = make.run_id }))
    end

    it("anywhere is forgotten, and what it asked for happens at most once", function()
      local authorization = { "Authorization: Bearer " .. ann }
      local head = wire.request({ path = path_of("/v1/stream"), headers = authorization })
      local count = 0
      for i = 1, 200 do
        local connection = gateway:connect()
        local bytes = i % 4 == 0 and head or i % 4 == 1 and wire.request({ path = path_of("/v1/state"), headers = authorization }) or
          wire.command(ann, make:tokens({ ["plan.days"] = i }))
        if i % 4 == 3 then
          bytes = bytes:sub(1, i)
        elseif i % 4 == 2 then
          count = count + 1
        end
        connection:send(bytes)
        reset(connection)
      end
      gateway.connection = nil
      clock.until_true("the connections to end", function()
        return gateway:metric("atoms_connections") <= 1
      end)
      assert.equal(0, gateway:metric("atoms_streams"))
      local events = gateway:events(ann, { run_id = make.run_id, limit = 1000 }).events
      assert.is_true(#events <= 1 + count, #events)
    end)
  end)
end)
