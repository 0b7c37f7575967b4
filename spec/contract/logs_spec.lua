-- Log lines: events without secrets, and the sinks that get them too.

local support = require("support")
local command, clock, json = support.command, support.clock, support.json

describe("log lines", function()
  local gateway, ann, run_id

  after_each(support.stop_all)

  local function start(env)
    gateway = support.start({ env = env })
    ann = gateway:bearer({ actor = "ann" })
    run_id = command.run()
  end

  local function write(lines, more)
    local body = gateway:ids({ run_id = run_id, lines = json.array(lines) })
    for name, value in pairs(more or {}) do
      body[name] = value
    end
    return gateway:post("/v1/logs", ann, body)
  end

  it("become events from which secrets and personal data are gone", function()
    start()
    assert.equal(200, write({
      { level = "warn", message = "login of ann@example.com with Bearer abcdefgh12345678" },
      { level = "debug", message = "x", fields = json.object({ password = "hunter2", n = 1 }) },
    }).status)
    local stream = gateway:stream({ bearer = ann, run_id = run_id, cursor = "earliest" })
    stream:expect("resume")
    local first = stream:expect("log_line").json.data
    assert.same({ level = "warn", message = "login of [redacted:email] with Bearer [redacted:bearer]" }, first)
    assert.same({ password = "[redacted:secret]", n = 1 }, stream:expect("log_line").json.data.fields)
    gateway:stop()
    local stored = support.shell.run({ "grep", "-r", "-l", "-e", "hunter2", "-e", "ann@example", gateway.data_dir })
    assert.equal("", stored.out)
  end)

  it("are written once under one command id, and again without", function()
    start()
    local line = { { level = "info", message = "once" } }
    assert.equal(write(line, { command_id = "c1" }).body, write(line, { command_id = "c1" }).body)
    assert.not_equal(write(line).body, write(line).body)
    assert.equal(3, #gateway:events(ann, { run_id = run_id }).events)
  end)

  it("are refused with the path and the limit", function()
    start()
    local loud = write({ { level = "info", message = "x" }, { level = "loud", message = "x" } })
    assert.equal("/lines/1/level", loud.json.path)
    local lines = {}
    for i = 1, 65 do
      lines[i] = { level = "info", message = "x" }
    end
    local many = write(lines)
    assert.equal("limit_log_lines", many.json.code)
    assert.equal(64, many.json.limit.value)
    assert.equal("bytes_refused", write({ { level = "info", message = ("A"):rep(2000) } }).json.code)
    assert.equal("unknown_member", write({ { level = "info", message = "x" } }, { html = 1 }).json.code)
    assert.equal(0, #gateway:events(ann, { run_id = run_id }).events)
  end)

  it("go to stdout as JSON lines, sanitized and with their whole scope", function()
    start({ ATOMS_SINK = "stdout" })
    write({ { level = "info", message = "mail bob@example.com" } })
    local line = clock.until_true("the line", function()
      return gateway:output():match("\n({\"type\":\"log_line\"[^\n]*)\n")
    end)
    local record = json.must(line)
    assert.equal("mail [redacted:email]", record.data.message)
    assert.same({ "acme", "dev", "p1", "web", "demo", run_id }, { record.tenant_id, record.mode, record.project_id, record.surface_id,
      record.app_id, record.run_id })
    assert.equal("ann", record.actor.id)
    assert.equal(1, record.seq)
  end)

  it("go to a webhook, which is asked again when it was not there", function()
    local socket = require("socket")
    local server = assert(socket.bind("127.0.0.1", 0))
    server:settimeout(clock.seconds)
    local _, port = server:getsockname()
    start({ ATOMS_SINK = "webhook", ATOMS_SINK_URL = ("http://127.0.0.1:%d/hook"):format(port), ATOMS_SINK_TOKEN = "s3cret" })
    write({ { level = "info", message = "to the hook" } })
    local function serve(status)
      local client = assert(server:accept())
      client:settimeout(clock.seconds)
      local length, head = 0, {}
      repeat
        local line = assert(client:receive("*l"))
        head[#head + 1] = line
        length = tonumber(line:match("^[Cc]ontent%-[Ll]ength: (%d+)")) or length
      until line == ""
      local body = client:receive(length)
      client:send(("HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"):format(status))
      client:close()
      return table.concat(head, "\n"), body
    end
    local _, first = serve("503 Service Unavailable")
    local head, body = serve("204 No Content")
    assert.equal(first, body)
    assert.matches("Authorization: Bearer s3cret", head, 1, true)
    assert.equal("to the hook", json.must((body:gsub("\n$", ""))).data.message)
    clock.until_true("the count", function() return gateway:metric("atoms_sink_records_total") == 1 end)
    assert.equal(1, gateway:metric("atoms_sink_retries_total"))
    server:close()
  end)

  it("have sinks that are checked before the start", function()
    local gateways = require("support.gateway")
    assert.matches("sink_url", gateways.refused({ env = { ATOMS_SINK = "webhook" } }).err)
    assert.matches("sink_url", gateways.refused({ env = { ATOMS_SINK_URL = "http://127.0.0.1:1/" } }).err)
    assert.matches("none|stdout|webhook", gateways.refused({ env = { ATOMS_SINK = "kafka" } }).err, 1, true)
  end)
end)
