-- Every limit from both sides: what just fits is served, what does not is refused with the name, the value and the unit of the limit.

local support = require("support")
local wire = require("hostile.wire")
local command, json = support.command, support.json

describe("a limit", function()
  local gateway, ann, make, run

  setup(function()
    local config = [[return { limits = {
      max_header_bytes = 2048, max_body_bytes = 4096, max_batch_bytes = 8192, max_batch_commands = 4,
      max_json_depth = 8, max_json_nodes = 100, max_streams_per_actor = 2, max_pipelined_requests = 4, max_base64_run = 64,
    } }]]
    gateway = support.start({ env = { ATOMS_WORKERS = 1 }, config = config })
    ann = gateway:bearer({})
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    run = gateway:ids({ run_id = make.run_id })
  end)

  local function assert_refused(answer, status, code, name, value)
    assert.equal(("%d %s"):format(status, code), ("%s %s"):format(answer.status, answer.code or answer.json and answer.json.code))
    local limit = answer.limit or answer.json.limit
    local unit = name:find("_bytes$") and "bytes" or name:find("_ms$") and "ms" or "count"
    assert.same({ name = name, value = value, unit = unit }, limit)
  end

  local function only(bytes)
    local answers = wire.talk(gateway, bytes, { count = 1 })
    return answers[1]
  end

  describe("of the head", function()
    --- A request whose header lines have exactly this many bytes with their line ends.
    local function with_header_bytes(count)
      local used = #"Host: localhost\r\nX: \r\n"
      return wire.request({ path = "/healthz", headers = { "X: " .. ("a"):rep(count - used) } })
    end

    it("counts all header lines together", function()
      assert.equal(200, only(with_header_bytes(2048)).status)
      assert_refused(only(with_header_bytes(2049)), 431, "headers_too_large", "max_header_bytes", 2048)
    end)

    it("counts header lines", function()
      local function with_headers(count)
        local headers = {}
        for i = 1, count - 1 do -- Host is the other one
          headers[i] = "X: " .. i
        end
        return wire.request({ path = "/healthz", headers = headers })
      end
      assert.equal(200, only(with_headers(64)).status)
      assert_refused(only(with_headers(65)), 431, "too_many_headers", "max_header_count", 64)
    end)

    it("counts the target", function()
      local function with_target(count)
        return wire.request({ path = "/healthz?" .. ("a"):rep(count - #"/healthz?") })
      end
      assert.equal(200, only(with_target(8192)).status)
      assert_refused(only(with_target(8193)), 414, "target_too_long", "max_target_bytes", 8192)
    end)

    it("counts query parameters", function()
      local function with_params(count)
        return wire.request({ path = "/healthz?" .. ("a=1&"):rep(count - 1) .. "a=1" })
      end
      assert.equal(200, only(with_params(32)).status)
      assert_refused(only(with_params(33)), 400, "too_many_parameters", "max_parameters", 32)
    end)
  end)

  describe("of the body", function()
    local function padded(body, length)
      local text = json.encode(body)
      return text .. (" "):rep(length - #text)
    end

    local function post(body, headers)
      return gateway:post("/v1/commands", ann, body, nil, headers)
    end

    it("bounds one command", function()
      assert.equal(200, post(padded(make:mount(), 4096)).status)
      assert_refused(post(padded(make:mount(), 4097)), 413, "body_too_large", "max_body_bytes", 4096)
    end)

    it("bounds a batch", function()
      assert.equal(200, post(padded({ make:mount() }, 8192)).status)
      assert_refused(post(padded({ make:mount() }, 8193)), 413, "body_too_large", "max_batch_bytes", 8192)
    end)

    it("bounds a batch that comes in chunks, before all of it has come", function()
      local body = padded({ make:mount() }, 8193)
      local head = { "Authorization: Bearer " .. ann, "Content-Type: application/json", "Transfer-Encoding: chunked" }
      local bytes = wire.request({ method = "POST", path = "/v1/commands", headers = head })
      assert_refused(only(bytes .. ("%x\r\n%s\r\n1\r\n"):format(8192, body:sub(1, 8192))), 413, "body_too_large", "max_batch_bytes", 8192)
    end)

    it("bounds a line of NDJSON", function()
      local answer = gateway:call({
        method = "POST", path = "/v1/commands", bearer = ann, params = run, headers = { ["Content-Type"] = "application/x-ndjson" },
        body = json.encode(make:mount()) .. "\n" .. padded(make:tokens({ ["plan.days"] = 3 }), 4097) .. "\n",
      })
      assert_refused(answer, 413, "json_too_large", "max_body_bytes", 4096)
      assert.equal("/1 at byte 0", answer.json.path)
    end)

    it("counts the commands of a batch", function()
      local batch = { make:mount(), make:insert("a"), make:insert("b"), make:insert("c") }
      assert.equal(200, post(batch).status)
      batch[5] = make:insert("d")
      assert_refused(post(batch), 413, "batch_too_long", "max_batch_commands", 4)
    end)

    it("bounds nesting", function()
      local function nested(depth) -- the command is 1, its args 2
        return (json.encode(make:mount()):gsub('"args":{', '%0"x":' .. ("["):rep(depth - 2) .. ("]"):rep(depth - 2) .. ","))
      end
      assert.is_not.equal("json_too_deep", post(nested(8)).json.code)
      assert_refused(post(nested(9)), 413, "json_too_deep", "max_json_depth", 8)
    end)

    it("counts values", function()
      local function values(count)
        return '{"a":[' .. ("0,"):rep(count - 3) .. "0]}"
      end
      assert.is_not.equal("json_too_many_nodes", post(values(100)).json.code)
      assert_refused(post(values(101)), 413, "json_too_many_nodes", "max_json_nodes", 100)
    end)

    it("refuses a body where none belongs", function()
      assert_refused(only(wire.request({ path = "/healthz", body = "x" })), 413, "body_too_large", "max_body_bytes", 0)
    end)

    it("bounds what looks like bytes in a text", function()
      gateway:send(ann, make:mount())
      assert.equal(200, post(make:tokens({ ["plan.title"] = ("Ab1+"):rep(16) })).status)
      local answer = post(make:tokens({ ["plan.title"] = ("Ab1+"):rep(16) .. "A" }))
      assert.equal("/args/set/plan.title", answer.json.path)
      assert_refused(answer, answer.status, answer.json.code, "max_base64_run", 64)
    end)
  end)

  describe("of reads and streams", function()
    it("bounds a page of events", function()
      local answer = gateway:get("/v1/events", ann, gateway:ids({ run_id = make.run_id, limit = 1001 }))
      assert_refused(answer, 400, "bad_parameter", "max_events", 1000)
    end)

    it("counts the canvases of a stream", function()
      local function with_canvases(count)
        local canvases = {}
        for i = 1, count do
          canvases[i] = "c" .. i
        end
        return gateway:get("/v1/state", ann, gateway:ids({ run_id = make.run_id, canvas_id = canvases }))
      end
      assert.equal(200, with_canvases(16).status)
      assert_refused(with_canvases(17), 400, "too_many_canvases", "max_canvases_asked", 16)
    end)

    it("counts the streams of an actor, and gives back what was closed", function()
      local bob = gateway:bearer({ actor = "bob" })
      local first = gateway:stream({ bearer = bob, run_id = make.run_id })
      local second = gateway:stream({ bearer = bob, run_id = make.run_id })
      local verdict = gateway:stream({ bearer = bob, run_id = make.run_id }):expect("resume").json.data
      assert.equal("retry", verdict.status)
      assert.equal("too_many_streams", verdict.reason)
      first:close()
      support.clock.until_true("a stream of bob's to be free again", function()
        local third = gateway:stream({ bearer = bob, run_id = make.run_id })
        return third:expect("resume").json.data.status ~= "retry"
      end)
      second:close()
    end)

    it("makes pipelined requests wait, and loses none", function()
      local parts = { wire.command(ann, make:mount()) }
      for i = 1, 40 do
        parts[#parts + 1] = wire.command(ann, make:tokens({ ["plan.days"] = i }))
      end
      local answers = wire.talk(gateway, table.concat(parts), { count = 41 })
      for _, answer in ipairs(answers) do
        assert.equal(200, answer.status)
      end
      assert.equal(40, gateway:state(ann, { run_id = make.run_id }).tokens["plan.days"])
    end)
  end)

  describe("of runs and of time", function()
    local narrow

    setup(function()
      narrow = support.start({
        env = { ATOMS_WORKERS = 1 },
        config = [[return { limits = {
          max_runs = 1, max_feeds_per_run = 1, header_timeout_ms = 300, body_timeout_ms = 400,
        } }]],
      })
    end)

    it("counts the runs in memory, for commands and reads", function()
      local stream = narrow:stream({ bearer = ann })
      stream:expect("resume")
      local other = command.maker()
      assert_refused(narrow:post("/v1/commands", ann, other:mount()), 503, "too_many_runs", "max_runs", 1)
      assert_refused(narrow:get("/v1/state", ann, narrow:ids({ run_id = other.run_id })), 503, "too_many_runs", "max_runs", 1)
      stream:close()
    end)

    it("counts the views of a run", function()
      local stream = narrow:stream({ bearer = ann })
      stream:expect("resume")
      local bob = gateway:bearer({ actor = "bob", tokens = { "plan.*" } })
      assert_refused(narrow:get("/v1/state", bob, narrow:ids()), 503, "too_many_classes", "max_feeds_per_run", 1)
      stream:close()
    end)

    it("counts the views of a run that are one actor's, so that others have theirs", function()
      local wide = support.start({ config = "return { limits = { max_feeds_per_actor = 2, view_idle_ms = 100 } }" })
      local bob, cid = wide:bearer({ actor = "bob" }), wide:bearer({ actor = "cid" })
      local streams = {}
      local function follow(bearer, canvas_id)
        local stream = wide:stream({ bearer = bearer, run_id = make.run_id, canvas_id = canvas_id })
        local verdict = stream:expect("resume").json.data
        streams[#streams + 1] = stream
        return verdict.status == "retry" and verdict.reason or verdict.status
      end
      assert.same({ "fresh", "fresh", "too_many_classes" }, { follow(bob, "c1"), follow(bob, "c2"), follow(bob, "c3") })
      assert.same({ "fresh", "fresh", "fresh" }, { follow(bob, "c1"), follow(cid, "c3"), follow(bob, "c3") })
      assert.equal(200, wide:get("/v1/state", bob, wide:ids({ run_id = make.run_id, canvas_id = "c4" })).status)
      for _, stream in ipairs(streams) do
        stream:close()
      end
      support.clock.until_true("another view to be bob's", function()
        return follow(bob, "c4") == "fresh"
      end)
    end)

    it("counts the commands that wait for a run", function()
      local quiet = support.start({ env = { ATOMS_WORKERS = 1 }, config = "return { limits = { max_waiting_commands = 2 } }" })
      local parts = {} -- all of them have come before the run is read from the spine
      for i = 1, 8 do
        parts[i] = wire.command(ann, make:tokens({ ["plan.days"] = i }))
      end
      local answers = wire.talk(quiet, table.concat(parts), { count = 8 })
      assert_refused(answers[8], 503, "run_busy", "max_waiting_commands", 2)
    end)

    it("is the time of a head, or of a body", function()
      local bytes = wire.command(ann, make:mount())
      local head = bytes:match("^.-\r\n\r\n")
      assert_refused(wire.talk(narrow, head:sub(1, 20))[1], 408, "request_timeout", "header_timeout_ms", 300)
      assert_refused(wire.talk(narrow, head .. "{")[1], 408, "request_timeout", "body_timeout_ms", 400)
    end)
  end)
end)
