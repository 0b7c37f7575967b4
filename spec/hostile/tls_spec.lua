-- TLS: a certificate that is wrong stops the start, SIGHUP swaps it for new connections, and peers that do not speak TLS cost nothing.

local support = require("support")
local clock, command, shell = support.clock, support.command, support.shell

describe("TLS", function()
  local folder, gateway, ann, make

  --- A key and a certificate of its own for this name; the name tells certificates apart.
  local function make_certificate(name)
    local key, cert = folder .. "/" .. name .. ".key", folder .. "/" .. name .. ".pem"
    shell.must({ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key,
      "-out", cert, "-subj", "/CN=" .. name, "-addext", "subjectAltName=IP:127.0.0.1" })
    return cert, key
  end

  local function use(name)
    shell.must({ "cp", folder .. "/" .. name .. ".key", folder .. "/live.key" })
    shell.must({ "cp", folder .. "/" .. name .. ".pem", folder .. "/live.pem" })
  end

  local function trust(name)
    gateway.base.tls, gateway.base.cafile = true, folder .. "/" .. name .. ".pem"
    gateway.connection = nil
  end

  local function env_of(name)
    return { ATOMS_TLS_CERT = folder .. "/" .. name .. ".pem", ATOMS_TLS_KEY = folder .. "/" .. name .. ".key" }
  end

  local function log_count(event)
    local _, count = gateway:errors():gsub('"event":"' .. event .. '"', "")
    return count
  end

  before_each(function()
    folder = shell.folder()
    make_certificate("first")
    make_certificate("second")
    use("first")
  end)

  after_each(support.stop_all)

  local function start()
    gateway = support.start({ env = env_of("live"), config = "return { limits = { header_timeout_ms = 400 } }" })
    trust("first")
    ann = gateway:bearer({})
    make = command.maker()
  end

  it("carries requests, commands and streams", function()
    start()
    assert.matches("https://", gateway:output())
    assert.equal(200, gateway:get("/healthz").status)
    gateway:send(ann, make:mount())
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "earliest" })
    stream:expect("resume")
    stream:expect("CANVAS_READY")
    local texts = {}
    for i = 1, 200 do
      texts[i] = make:tokens({ ["plan.title"] = "title " .. i })
    end
    for from = 1, 200, 50 do
      gateway:send(ann, { table.unpack(texts, from, from + 49) })
    end
    for i = 1, 200 do
      assert.equal("title " .. i, stream:expect("token_patch").json.data.set["plan.title"])
    end
    stream:close()
  end)

  it("shows its certificate, and no other is believed", function()
    start()
    trust("second")
    assert.has_error(function()
      gateway:connect()
    end)
  end)

  describe("swaps the certificate on SIGHUP", function()
    it("for new connections, while old streams go on", function()
      start()
      gateway:send(ann, make:mount())
      local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "now" })
      stream:expect("resume")
      use("second")
      gateway:signal("HUP")
      clock.until_true("the reload", function()
        return log_count("tls_reloaded") == 1
      end)
      assert.has_error(function()
        gateway:connect()
      end)
      trust("second")
      gateway:send(ann, make:tokens({ ["plan.days"] = 3 }))
      assert.equal(3, stream:expect("token_patch").json.data.set["plan.days"])
      stream:close()
    end)

    it("and keeps the old one when the new one is no good", function()
      start()
      for attempt, spoil in ipairs({
        function() shell.write(folder .. "/live.pem", "no certificate\n") end,
        function() shell.must({ "cp", folder .. "/second.pem", folder .. "/live.pem" }) end, -- whose key this is not
        function() os.remove(folder .. "/live.pem") end,
      }) do
        use("first")
        spoil()
        gateway:signal("HUP")
        clock.until_true("the failed reload", function()
          return log_count("tls_reload_failed") == attempt
        end)
        gateway.connection = nil
        assert.equal(200, gateway:get("/healthz").status)
      end
      use("second")
      gateway:signal("HUP")
      clock.until_true("the reload", function()
        return log_count("tls_reloaded") == 1
      end)
      trust("second")
      assert.equal(200, gateway:get("/healthz").status)
    end)
  end)

  describe("stops the start", function()
    local function assert_refused(env, what)
      local result = require("support.gateway").refused({ env = env })
      assert.equal(1, result.code)
      assert.matches(what, result.err)
      assert.is_nil(result.err:find("Sanitizer", 1, true))
    end

    it("when a file is missing", function()
      local env = env_of("first")
      env.ATOMS_TLS_CERT = folder .. "/nothing.pem"
      assert_refused(env, "nothing%.pem")
      env = env_of("first")
      env.ATOMS_TLS_KEY = folder .. "/nothing.key"
      assert_refused(env, "nothing%.key")
    end)

    it("when a file is no certificate or no key", function()
      shell.write(folder .. "/bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
      shell.write(folder .. "/bad.key", "no key\n")
      local env = env_of("first")
      env.ATOMS_TLS_CERT = folder .. "/bad.pem"
      assert_refused(env, "bad%.pem")
      env = env_of("first")
      env.ATOMS_TLS_KEY = folder .. "/bad.key"
      assert_refused(env, "bad%.key")
    end)

    it("when the key is another certificate's", function()
      local env = env_of("first")
      env.ATOMS_TLS_KEY = folder .. "/second.key"
      assert_refused(env, "tls")
    end)

    it("when only one of the two is given", function()
      local env = env_of("first")
      env.ATOMS_TLS_KEY = false
      assert_refused(env, "tls")
    end)
  end)

  describe("survives peers", function()
    local function plain()
      return support.http.connect({ host = "127.0.0.1", port = gateway.port })
    end

    it("that speak HTTP", function()
      start()
      local connection = plain()
      connection:send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
      local text, was_closed = connection:read_all()
      assert.is_nil(text:find("HTTP/1", 1, true))
      assert.is_true(was_closed)
      assert.equal(200, gateway:get("/healthz").status)
    end)

    it("that send noise", function()
      start()
      math.randomseed(1)
      for _ = 1, 100 do
        local connection, bytes = plain(), {}
        for i = 1, math.random(1, 300) do
          bytes[i] = string.char(math.random(0, 255))
        end
        -- Half of them begin as a handshake does.
        connection:send((math.random() < 0.5 and "\22\3\1\2\0\1\0\1\252\3\3" or "") .. table.concat(bytes))
        connection.raw:shutdown("send")
        assert.is_true(connection:is_closed())
      end
      assert.equal(200, gateway:get("/healthz").status)
    end)

    it("that begin a handshake and stop", function()
      start()
      local silent, half = plain(), plain()
      half:send("\22\3\1\2\0\1\0\1\252\3\3")
      assert.is_true(silent:is_closed())
      assert.is_true(half:is_closed())
      assert.equal(200, gateway:get("/healthz").status)
    end)

    it("that reset during the handshake", function()
      start()
      for _ = 1, 50 do
        local connection = plain()
        connection:send("\22\3\1\2\0\1\0\1\252\3\3")
        connection.raw:setoption("linger", { on = true, timeout = 0 })
        connection:close()
      end
      gateway.connection = nil
      clock.until_true("the connections to end", function()
        return gateway:metric("atoms_connections") <= 1
      end)
      assert.equal(200, gateway:get("/healthz").status)
    end)
  end)
end)
