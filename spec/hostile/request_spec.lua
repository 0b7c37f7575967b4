-- Requests that are none, that mean two things, or that come in pieces: one answer each, never another one's, and the gateway goes on.

local support = require("support")
local wire = require("hostile.wire")
local command = support.command

local SEED = tonumber(os.getenv("ATOMS_SPEC_SEED") or "1")

describe("hostile requests", function()
  local gateway, ann, healthz, post

  setup(function()
    gateway = support.start({ env = { ATOMS_WORKERS = 1 } })
    ann = gateway:bearer({})
    healthz = wire.request({ path = "/healthz" })
    post = { "Authorization: Bearer " .. ann, "Content-Type: application/json" }
  end)

  teardown(support.stop_all)

  local function get(...)
    return wire.request({ path = "/healthz", headers = { ... } })
  end

  local function post_with(body, ...)
    local headers = { ... }
    table.move(post, 1, #post, #headers + 1, headers)
    return wire.request({ method = "POST", path = "/v1/commands", headers = headers, body = body, length = false })
  end

  local function chunked(body)
    return post_with(body, "Transfer-Encoding: chunked")
  end

  --- The one answer that `bytes` get, although a good request follows them; then the connection is over.
  local function assert_ends(expected, bytes)
    local answers, was_closed = wire.talk(gateway, bytes .. healthz)
    assert.equal(expected, wire.codes(answers))
    assert.is_true(was_closed)
    assert.equal("close", answers[1].headers.connection)
  end

  describe("that could be read in two ways", function()
    local cases = {
      { "Content-Length with Transfer-Encoding", "400 bad_transfer_encoding", function()
        return post_with("0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked")
      end },
      { "the two in the other order", "400 bad_transfer_encoding", function()
        return post_with("0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Length: 5")
      end },
      { "Content-Length twice, equal", "400 bad_transfer_encoding", function()
        return post_with("{}", "Content-Length: 2", "Content-Length: 2")
      end },
      { "Content-Length twice, different", "400 bad_transfer_encoding", function()
        return post_with("{}", "Content-Length: 2", "Content-Length: 0")
      end },
      { "a list of lengths", "400 bad_content_length", function() return post_with("{}", "Content-Length: 2, 2") end },
      { "a signed length", "400 bad_content_length", function() return post_with("{}", "Content-Length: +2") end },
      { "a negative length", "400 bad_content_length", function() return post_with("{}", "Content-Length: -2") end },
      { "a hexadecimal length", "400 bad_content_length", function() return post_with("{}", "Content-Length: 0x2") end },
      { "an empty length", "400 bad_content_length", function() return post_with("", "Content-Length:") end },
      { "a length beyond 64 bits", "400 bad_content_length", function()
        return post_with("{}", "Content-Length: 18446744073709551618")
      end },
      { "white space before the colon", "400 bad_header", function() return post_with("{}", "Content-Length : 2") end },
      { "white space before a header's name", "400 folded_header", function() return get("X: 1", " Content-Length: 2") end },
      { "a folded header", "400 folded_header", function() return get("X: 1", "\tfolded") end },
      { "a header line without a colon", "400 bad_header", function() return get("X") end },
      { "a header line without a name", "400 bad_header", function() return get(": x") end },
      { "lines that end with LF alone", "400 bare_line_feed", function() return "GET /healthz HTTP/1.1\nHost: h\n\n" end },
      { "one line that ends with LF alone", "400 bare_line_feed", function() return "GET /healthz HTTP/1.1\r\nHost: h\n\r\n" end },
      { "a bare CR in a header", "400 control_character", function() return get("X: a\rContent-Length: 2") end },
      { "a NUL in a header", "400 control_character", function() return get("X: a\0b") end },
      { "Transfer-Encoding: xchunked", "400 bad_transfer_encoding", function() return post_with("", "Transfer-Encoding: xchunked") end },
      { "Transfer-Encoding: chunked, identity", "400 bad_transfer_encoding", function()
        return post_with("", "Transfer-Encoding: chunked, identity")
      end },
      { "Transfer-Encoding: identity, chunked", "501 transfer_coding_not_supported", function()
        return post_with("0\r\n\r\n", "Transfer-Encoding: identity, chunked")
      end },
      { "Transfer-Encoding: chunked, chunked", "400 bad_transfer_encoding", function()
        return post_with("0\r\n\r\n", "Transfer-Encoding: chunked, chunked")
      end },
      { "Transfer-Encoding with a parameter", "400 bad_transfer_encoding", function()
        return post_with("0\r\n\r\n", "Transfer-Encoding: chunked;q=1")
      end },
      { "Transfer-Encoding in quotes", "400 bad_transfer_encoding", function()
        return post_with("0\r\n\r\n", 'Transfer-Encoding: "chunked"')
      end },
      { "Transfer-Encoding behind a vertical tab", "400 control_character", function()
        return post_with("0\r\n\r\n", "Transfer-Encoding:\vchunked")
      end },
      { "Transfer-Encoding twice", "400 bad_transfer_encoding", function()
        return post_with("0\r\n\r\n", "Transfer-Encoding: chunked", "Transfer-Encoding: identity")
      end },
      { "Transfer-Encoding from HTTP/1.0", "400 bad_transfer_encoding", function()
        return "POST /v1/commands HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
      end },
      { "two Hosts", "400 duplicate_header", function() return get("Host: other") end },
      { "no Host", "400 missing_host", function() return "GET /healthz HTTP/1.1\r\n\r\n" end },
      { "an empty Host", "400 bad_host", function() return "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n" end },
      { "two bearers", "400 duplicate_header", function() return get("Authorization: Bearer a", "Authorization: Bearer b") end },
      { "an absolute target with user information", "400 bad_host", function()
        return "GET http://a@b/healthz HTTP/1.1\r\nHost: b\r\n\r\n"
      end },
      { "an absolute target without Host", "400 missing_host", function() return "GET http://b/healthz HTTP/1.1\r\n\r\n" end },
      { "a NUL in the target", "400 control_character", function() return "GET /heal\0thz HTTP/1.1\r\nHost: h\r\n\r\n" end },
      { "an encoded NUL in the path", "400 bad_target", function() return "GET /healthz%00 HTTP/1.1\r\nHost: h\r\n\r\n" end },
      { "wrong percent-encoding in the path", "400 bad_target", function() return "GET /health%zz HTTP/1.1\r\nHost: h\r\n\r\n" end },
      { "a fragment", "400 bad_target", function() return "GET /healthz#x HTTP/1.1\r\nHost: h\r\n\r\n" end },
      { "bytes beyond ASCII in the target", "400 bad_target", function() return "GET /h\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n" end },
      { "CONNECT", "501 method_not_supported", function() return "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n" end },
      { "the preface of HTTP/2", "505 version_not_supported", function() return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" end },
      { "HTTP/0.9", "505 version_not_supported", function() return "GET /healthz\r\n\r\n" end },
      { "HTTP/1.2", "505 version_not_supported", function() return "GET /healthz HTTP/1.2\r\nHost: h\r\n\r\n" end },
      { "two empty lines before the request", "400 bad_request_line", function() return "\r\n\r\n" end },
      { "an expectation that nobody knows", "417 expectation_failed", function() return get("Expect: tea") end },
    }
    for _, case in ipairs(cases) do
      it("refuses " .. case[1] .. ", and ends the connection", function()
        assert_ends(case[2], case[3]())
      end)
    end

    it("takes the authority of an absolute target for the host", function()
      local answers = wire.talk(gateway, "GET http://other.example/healthz HTTP/1.1\r\nHost: h\r\n\r\n", { count = 1 })
      assert.equal("200", wire.codes(answers))
    end)

    it("takes white space before the value of a header", function()
      local answers = wire.talk(gateway, post_with("0\r\n\r\n", "Transfer-Encoding: \t CHUNKED"), { count = 1 })
      assert.equal("400 json_malformed", wire.codes(answers))
    end)
  end)

  describe("with a chunked body", function()
    local cases = {
      { "a size that is no number", "400 bad_chunk", "x\r\n" },
      { "a negative size", "400 bad_chunk", "-2\r\n{}\r\n0\r\n\r\n" },
      { "a size with 0x", "400 bad_chunk", "0x2\r\n{}\r\n0\r\n\r\n" },
      { "a size beyond 64 bits", "400 bad_chunk", "10000000000000002\r\n{}\r\n0\r\n\r\n" },
      { "a size of almost 2^64", "413 body_too_large", "ffffffffffffffff\r\n{}\r\n0\r\n\r\n" },
      { "white space after a size", "400 bad_chunk", "2 \r\n{}\r\n0\r\n\r\n" },
      { "LF alone after a size", "400 bad_chunk", "2\n{}\r\n0\r\n\r\n" },
      { "LF alone in an extension", "400 bad_chunk", "2;\nx\r\n{}\r\n0\r\n\r\n" },
      { "data longer than its size", "400 bad_chunk", "2\r\n{}}\r\n0\r\n\r\n" },
      { "a size line of 20,000 zeros", "400 bad_chunk", ("0"):rep(20000) .. "2\r\n{}\r\n0\r\n\r\n" },
      { "an extension of 20,000 characters", "400 bad_chunk", "2;" .. ("a"):rep(20000) .. "\r\n{}\r\n0\r\n\r\n" },
      { "an extension of 20,000 characters after the last chunk", "400 bad_chunk", "2\r\n{}\r\n0;" .. ("a"):rep(20000) .. "\r\n\r\n" },
      { "a trailer", "400 trailers_refused", "2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n" },
    }
    for _, case in ipairs(cases) do
      it("refuses " .. case[1], function()
        assert_ends(case[2], chunked(case[3]))
      end)
    end

    it("ignores a short extension", function()
      local answers = wire.talk(gateway, chunked("2;name=value\r\n{}\r\n0\r\n\r\n") .. healthz, { count = 2 })
      assert.equal("400 missing_id 200", wire.codes(answers))
    end)

    it("takes a body of five thousand chunks", function()
      local answers = wire.talk(gateway, chunked(("1\r\n \r\n"):rep(5000) .. "2\r\n{}\r\n0\r\n\r\n") .. healthz, { count = 2 })
      assert.equal("400 missing_id 200", wire.codes(answers))
    end)
  end)

  describe("in one connection", function()
    it("answers what came before bytes that are no request, then refuses those", function()
      local make = command.maker()
      local answers, was_closed = wire.talk(gateway, wire.command(ann, make:mount()) .. "\1 no request\r\n\r\n" .. healthz)
      assert.equal("200 400 control_character", wire.codes(answers))
      assert.is_true(was_closed)
    end)

    it("answers nothing behind a request that closes, even while that one waits for the disk", function()
      local make = command.maker()
      local answers, was_closed = wire.talk(gateway, wire.command(ann, make:mount(), { "Connection: close" }) .. healthz:rep(3))
      assert.equal("200", wire.codes(answers))
      assert.is_true(was_closed)
    end)

    it("answers nothing behind a request of HTTP/1.0", function()
      local make = command.maker()
      local old = wire.command(ann, make:mount()):gsub(" HTTP/1%.1", " HTTP/1.0", 1)
      local answers, was_closed = wire.talk(gateway, old .. healthz:rep(3))
      assert.equal("200", wire.codes(answers))
      assert.is_true(was_closed)
    end)

    it("does not read the body of a request that it refused by its head as another request", function()
      assert_ends("404 no_such_route", wire.request({ method = "POST", path = "/nothing", body = healthz }))
      assert_ends("413 body_too_large", wire.request({ method = "GET", path = "/healthz", body = healthz }))
    end)

    it("answers a hundred pipelined requests in order", function()
      local make = command.maker()
      local parts, expected = { wire.command(ann, make:mount()) }, { "200" }
      for i = 1, 99 do
        parts[#parts + 1] = i % 3 == 0 and healthz or i % 3 == 1 and wire.command(ann, make:tokens({ ["plan.days"] = i })) or
          wire.request({ path = "/nothing" })
        expected[#expected + 1] = i % 3 == 2 and "404 no_such_route" or "200"
      end
      local answers = wire.talk(gateway, table.concat(parts), { count = 100 })
      assert.equal(table.concat(expected, " "), wire.codes(answers))
    end)

    it("answers all of them when the socket takes at once what was too much to gather", function()
      local ask = wire.request({ path = "/v1/canvases" .. support.http.query(gateway:ids()), headers = post })
      local answers = wire.talk(gateway, ask:rep(300), { count = 300 })
      assert.equal(("200 "):rep(300), wire.codes(answers) .. " ")
      assert.is_true(300 * #answers[1].body > 512 * 1024)
    end)

    it("takes no large body of who may not send one", function()
      local function head(...)
        local lines = { "POST /v1/commands HTTP/1.1", "Host: localhost", "Content-Type: application/json", ... }
        return table.concat(lines, "\r\n") .. "\r\n\r\n"
      end
      local answers, was_closed = wire.talk(gateway, head("Content-Length: 20000"))
      assert.same({ "401 bearer_missing", true }, { wire.codes(answers), was_closed })
      answers, was_closed = wire.talk(gateway, head("Authorization: Bearer a.b.c", "Transfer-Encoding: chunked"))
      assert.same({ "401 bearer_malformed", true }, { wire.codes(answers), was_closed })
      local make = command.maker()
      local large = wire.command(ann, make:tokens({ ["plan.title"] = ("x "):rep(10000) }))
      local pieces = { wire.command(ann, make:mount()), large:sub(1, 5000), large:sub(5001), healthz }
      assert.equal("200 422 too_long 200", wire.codes(wire.talk(gateway, pieces, { count = 3 })))
    end)

    it("refuses a stream behind a pending request, and answers what follows", function()
      local make = command.maker()
      local path = "/v1/stream" .. support.http.query(gateway:ids({ run_id = make.run_id }))
      local bytes = wire.command(ann, make:mount()) .. wire.request({ path = path, headers = post }) .. healthz
      assert.equal("200 409 pipelined_stream 200", wire.codes((wire.talk(gateway, bytes, { count = 3 }))))
    end)

    it("gives a half-closed peer its answers, then ends", function()
      local make = command.maker()
      local connection = gateway:connect()
      connection:send(wire.command(ann, make:mount()) .. wire.command(ann, make:tokens({ ["plan.days"] = 3 })))
      connection.raw:shutdown("send")
      local text, was_closed = connection:read_all()
      assert.equal("200 200", wire.codes(wire.answers(text)))
      assert.is_true(was_closed)
    end)

    it("ends without an answer where the peer half-closes inside a request", function()
      for _, bytes in ipairs({ "GET /healthz HT", wire.command(ann, command.maker():mount()):sub(1, -2) }) do
        local connection = gateway:connect()
        connection:send(bytes)
        connection.raw:shutdown("send")
        local text, was_closed = connection:read_all()
        assert.equal("", text)
        assert.is_true(was_closed)
      end
    end)

    it("invites a body when its turn has come, and not one that is too large", function()
      local make = command.maker()
      local waiting = wire.command(ann, make:tokens({ ["plan.days"] = 3 }), { "Expect: 100-continue" })
      local head = waiting:match("^.-\r\n\r\n")
      local connection = gateway:connect()
      connection:send(wire.command(ann, make:mount()) .. head)
      local text = ""
      while not text:find("100 Continue", 1, true) do
        text = text .. assert(connection:read_some(support.clock.deadline()))
      end
      assert.is_true(text:find("200 OK", 1, true) < text:find("100 Continue", 1, true))
      connection.buffer = ""
      connection:send(waiting:sub(#head + 1))
      assert.equal(200, connection:response().status)
      local head_only = { post[1], "Expect: 100-continue", "Content-Length: 9999999" }
      local large = wire.request({ method = "POST", path = "/v1/commands", headers = head_only })
      assert.equal("413 body_too_large", wire.codes((wire.talk(gateway, large))))
    end)
  end)

  describe("cut at every byte", function()
    local function assert_split(bytes, expected, count)
      for cut = 1, #bytes - 1 do
        local answers = wire.talk(gateway, { bytes:sub(1, cut), bytes:sub(cut + 1) }, { count = count })
        assert.equal(expected, wire.codes(answers), "cut at byte " .. cut)
      end
      local pieces = {}
      for i = 1, #bytes do
        pieces[i] = bytes:sub(i, i)
      end
      assert.equal(expected, wire.codes((wire.talk(gateway, pieces, { count = count }))))
    end

    it("a GET, and another behind it", function()
      assert_split(healthz .. wire.request({ path = "/nothing?a=%20" }), "200 404 no_such_route", 2)
    end)

    it("a command with a length, which takes effect once", function()
      local make = command.maker()
      gateway:send(ann, make:mount())
      local bytes = wire.command(ann, make:tokens({ ["plan.title"] = "Zürich" }, nil, { command_id = "once" }))
      assert_split(bytes, "200", 1)
      assert.equal(2, #gateway:events(ann, { run_id = make.run_id }).events)
    end)

    it("a command in chunks", function()
      local make = command.maker()
      gateway:send(ann, make:mount())
      local body = support.json.encode(make:tokens({ ["plan.days"] = 5 }, nil, { command_id = "once" }))
      assert_split(chunked(wire.chunked({ body:sub(1, 7), body:sub(8) })), "200", 1)
      assert.equal(2, #gateway:events(ann, { run_id = make.run_id }).events)
    end)

    it("a request that is refused, and never answers what follows", function()
      local bytes = post_with("0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked")
      for cut = 1, #bytes - 6 do
        local answers, was_closed = wire.talk(gateway, { bytes:sub(1, cut), bytes:sub(cut + 1) .. healthz })
        assert.equal("400 bad_transfer_encoding", wire.codes(answers), "cut at byte " .. cut)
        assert.is_true(was_closed)
      end
    end)
  end)

  describe("of random bytes", function()
    local random

    local function noise(length)
      local bytes = {}
      for i = 1, length do
        bytes[i] = string.char(random(0, 255))
      end
      return table.concat(bytes)
    end

    local function mutate(bytes)
      for _ = 1, random(1, 4) do
        local at, kind = random(1, #bytes), random(1, 3)
        local piece = kind == 1 and "" or noise(random(1, 3))
        bytes = bytes:sub(1, at - 1) .. piece .. bytes:sub(at + (kind == 3 and 0 or 1))
      end
      return bytes
    end

    before_each(function()
      math.randomseed(SEED)
      random = math.random
    end)

    --- Half-closed, so that whatever it takes for half a request ends too.
    local function assert_survives(bytes)
      local connection = gateway:connect()
      connection:send(bytes)
      connection.raw:shutdown("send")
      local text, was_closed = connection:read_all()
      connection:close()
      assert.is_true(was_closed, ("seed %d, not closed after %q"):format(SEED, bytes:sub(1, 200)))
      wire.answers(text)
    end

    it("ends five hundred connections that send noise", function()
      for _ = 1, 500 do
        assert_survives(noise(random(1, 2000)))
      end
      assert.equal(200, gateway:get("/healthz").status)
    end)

    it("survives a thousand requests with a few bytes changed", function()
      local make = command.maker()
      gateway:send(ann, make:mount())
      local originals = {
        wire.command(ann, make:tokens({ ["plan.days"] = 5 })),
        chunked(wire.chunked({ "[" .. support.json.encode(make:insert("b1")), "]" })),
        wire.request({ path = "/v1/state" .. support.http.query(gateway:ids({ run_id = make.run_id })), headers = post }),
        wire.request({ path = "/v1/events" .. support.http.query(gateway:ids({ run_id = make.run_id, limit = 2 })), headers = post }),
      }
      for i = 1, 1000 do
        assert_survives(mutate(originals[i % #originals + 1]))
      end
      assert.equal(200, gateway:state(ann, { run_id = make.run_id }) and 200)
    end)
  end)

  it("leave no connection behind", function()
    gateway.witness = gateway.witness and gateway.witness:close()
    gateway.connection = nil
    collectgarbage()
    support.clock.until_true("the connections to end", function()
      return gateway:metric("atoms_connections") <= 2
    end)
  end)
end)
