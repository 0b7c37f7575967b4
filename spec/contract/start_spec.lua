-- Starting and what stops a start: configuration, real modes, folders, ports; the other subcommands.

local support = require("support")
local gateway = require("support.gateway")

describe("a configuration file", function()
  after_each(support.stop_all)

  --- The complaint names the file and this line, and holds every one of the texts.
  local function assert_refused(config, line, ...)
    local result = gateway.refused({ config = config })
    assert.equal(1, result.code, result.err)
    assert.equal("", result.out)
    assert.matches("atoms%.lua:" .. line .. ": ", result.err)
    for _, text in ipairs({ ... }) do
      assert.is_truthy(result.err:find(text, 1, true), ("no %q in %s"):format(text, result.err))
    end
    return result
  end

  it("with an unknown key is refused, with the one that was meant", function()
    assert_refused('return {\n  workers = 1,\n  liste = "127.0.0.1:0",\n}', 3, "liste", "listen")
    assert_refused("return {\n  limits = {\n    max_conections = 5,\n  },\n}", 3, "max_conections", "max_connections")
    assert_refused('return {\n  jwt = { secrt = "x" },\n}', 2, "secrt", "secret")
  end)

  it("with a value of a wrong type is refused", function()
    assert_refused('return {\n  workers = "2",\n}', 2, "workers", "whole number", "quotes")
    assert_refused("return {\n\n  listen = 8080,\n}", 3, "listen")
    assert_refused('return {\n  modes = 5,\n}', 2, "modes")
    assert_refused("return {\n  limits = 5,\n}", 2, "limits")
  end)

  it("with an impossible value is refused, with what is possible", function()
    assert_refused("return { workers = 0 }", 1, "workers", "256")
    assert_refused("return {\n  limits = {\n    heartbeat_ms = 1,\n  },\n}", 3, "heartbeat_ms", "100")
    assert_refused('return {\n  listen = "nowhere",\n}', 2, "listen", "127.0.0.1:8080")
    assert_refused('return {\n  spine = "cosmos",\n}', 2, "spine", "sqlite")
    assert_refused('return {\n  log = { level = "loud" },\n}', 2, "log.level", "debug")
    assert_refused('return {\n  jwt = {\n    secret = "short",\n  },\n}', 3, "secret", "32")
    assert_refused('return {\n  seal_keys = { "short" },\n}', 2)
    assert_refused('return {\n  cors = { origins = { "https://a.example/path" } },\n}', 2, "cors.origins", "path")
    assert_refused('return {\n  canvases_dir = "/nowhere/at/all",\n}', 2, "canvases_dir")
  end)

  it("that names a file which cannot be read is refused at that line", function()
    assert_refused('return {\n  tls = {\n    cert = "/nowhere/x", key = "/nowhere/x",\n  },\n}', 3, "tls.cert", "/nowhere", "No such file")
    assert_refused('return {\n  jwt = { jwks_file = "/nowhere/keys.json" },\n}', 2, "jwt.jwks_file", "No such file")
    assert_refused('return {\n  registry_file = "/nowhere/r.lua",\n}', 2, "registry_file", "No such file")
  end)

  it("is told what to do where the message alone does not say it", function()
    assert_refused('return {\n  modes = { "dev", "live" },\n}', 2, "no_real_driver", "\nhint: serve mode dev")
    assert_refused('return {\n  workers = os.time(),\n}', 2, "\nhint: the file is data")
    assert_refused('return {\n  sink = "webhook",\n}', 2, "sink_url")
    local one = support.start({})
    local second = gateway.refused({ env = { ATOMS_LISTEN = "127.0.0.1:" .. one.port } })
    assert.matches("in use .*\nhint: .*ATOMS_LISTEN", second.err)
    second = gateway.refused({ env = { ATOMS_DATA_DIR = one.data_dir } })
    assert.matches("spine_locked.*\nhint: .*ATOMS_DATA_DIR", second.err)
  end)

  it("never repeats a secret that it refuses", function()
    local result = assert_refused('return {\n  jwt = { secret = "hush-hush" },\n}', 2)
    assert.is_nil(result.err:find("hush", 1, true))
    result = assert_refused('return {\n  seal_keys = { "hush-hush" },\n}', 2)
    assert.is_nil(result.err:find("hush", 1, true))
  end)

  it("that is no Lua, or no data, is refused", function()
    assert_refused("return {\n  workers = ,\n}", 2)
    assert_refused("return 5", 1)
    assert_refused("return {\n  workers = function() end,\n}", 2)
    assert_refused('return {\n  workers = os.time(),\n}', 2)
    assert_refused("local x = {}\nwhile true do end\nreturn x", 2)
  end)

  it("that wants more memory than a file of settings may use is refused", function()
    local greedy = 'local text = "x"\nfor i = 1, 60 do\n  text = text .. text\nend\nreturn { data_dir = text }'
    assert.matches("atoms%.lua: .*memory", gateway.refused({ config = greedy }).err)
  end)

  it("reads the environment by env, with the type of its default", function()
    local one = support.start({ config = 'return { workers = env("SPEC_WORKERS", 1), log = { level = env("NOT_SET", "debug") } }',
                                env = { SPEC_WORKERS = "3", ATOMS_WORKERS = false } })
    local workers = 0
    for _ in one:admin("/metrics").body:gmatch("atoms_slowest_stream_lag_seqs{worker=") do
      workers = workers + 1
    end
    assert.equal(3, workers)
  end)

  it("that is not there is refused", function()
    local result = support.shell.run({ gateway.bin, "serve", "--config", "/nowhere/atoms.lua" })
    assert.equal(1, result.code)
    assert.matches("/nowhere/atoms%.lua", result.err)
  end)
end)

describe("a start", function()
  after_each(support.stop_all)

  local function refused(env, config)
    local result = gateway.refused({ env = env, config = config })
    assert.equal(1, result.code, result.err)
    assert.equal("", result.out)
    assert.matches("^atoms: ", result.err)
    return result.err
  end

  local KEY = ("A"):rep(42) .. "E"

  it("in a real mode is refused: no real driver configured", function()
    for _, modes in ipairs({ "production", "dev,staging" }) do
      local message = refused({ ATOMS_MODES = modes, ATOMS_SEAL_KEYS = KEY })
      assert.matches("no real driver configured", message)
      assert.matches("no_real_driver", message)
      assert.matches("spine", message)
    end
  end)

  it("beyond this machine needs keys of one's own, and a token for the admin listener", function()
    assert.matches("ATOMS_JWT_SECRET", refused({ ATOMS_LISTEN = "0.0.0.0:0", ATOMS_JWT_SECRET = false }))
    assert.matches("ATOMS_ADMIN_TOKEN", refused({ ATOMS_ADMIN_LISTEN = "0.0.0.0:0" }))
    support.start({ env = { ATOMS_LISTEN = "0.0.0.0:0" } })
  end)

  it("with modes that are none, no ids or named twice is refused", function()
    for _, modes in ipairs({ ",", "a/b", "dev,dev" }) do
      refused({ ATOMS_MODES = modes })
    end
  end)

  it("with one address for both listeners is refused", function()
    refused({ ATOMS_LISTEN = "127.0.0.1:28080", ATOMS_ADMIN_LISTEN = "127.0.0.1:28080" })
  end)

  it("with half of a certificate, or none that can be read, is refused", function()
    refused({ ATOMS_TLS_CERT = "/nowhere/cert.pem" })
    refused({ ATOMS_TLS_CERT = "/nowhere/cert.pem", ATOMS_TLS_KEY = "/nowhere/key.pem" })
  end)

  it("on a port that is taken is refused", function()
    local first = support.start({})
    refused({ ATOMS_ADMIN_LISTEN = "127.0.0.1:" .. first.admin_port })
  end)

  it("with a value in the environment that cannot be is refused by the variable's name", function()
    assert.matches("ATOMS_WORKERS", refused({ ATOMS_WORKERS = "many" }))
    assert.matches("ATOMS_LISTEN", refused({ ATOMS_LISTEN = "everywhere" }))
  end)

  it("with a canvas manifest that is wrong is refused by its file and line", function()
    local folder = support.shell.folder()
    support.shell.must({ "mkdir", "-p", folder .. "/broken" })
    support.shell.write(folder .. "/broken/manifest.lua", 'return {\n  name = "broken",\n  version = 7,\n}')
    assert.matches("broken/manifest%.lua:%d+", refused({ ATOMS_CANVASES_DIR = folder }))
  end)

  it("on a data folder that another one uses is refused", function()
    local first = support.start({})
    local message = refused({ ATOMS_DATA_DIR = first.data_dir })
    assert.is_truthy(message)
  end)

  it("says one line when it is ready, with both addresses", function()
    local one = support.start({})
    assert.matches("^atoms %S+ ready on http://127%.0%.0%.1:%d+ %(admin http://127%.0%.0%.1:%d+%)\n$", one:output())
  end)

  it("makes its secrets readable by nobody else", function()
    local one = support.start({ env = { ATOMS_JWT_SECRET = false } })
    for _, name in ipairs({ "jwt-secret", "seal-key" }) do
      assert.equal("600\n", support.shell.must({ "stat", "-c", "%a", one.data_dir .. "/" .. name }))
    end
  end)

  it("serves TLS with the certificate of its files, and a renewed one after a hang-up signal", function()
    local folder = support.shell.folder()
    local function certificate(name)
      support.shell.must({ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                           "-subj", "/CN=" .. name, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                           "-keyout", folder .. "/key.pem", "-out", folder .. "/cert.pem" })
    end
    certificate("first")
    local one = support.start({ env = { ATOMS_TLS_CERT = folder .. "/cert.pem", ATOMS_TLS_KEY = folder .. "/key.pem" } })
    assert.matches("ready on https://", one:output())
    local function subject()
      local seen = support.shell.run({ "openssl", "s_client", "-connect", "127.0.0.1:" .. one.port, "-brief" }, "Q\n")
      return (seen.err .. seen.out):match("CN *= *(%w+)")
    end
    assert.equal("first", subject())
    certificate("second")
    one:signal("HUP")
    support.clock.until_true("the new certificate", function()
      return subject() == "second"
    end)
  end)
end)

describe("the program", function()
  local function run(...)
    return support.shell.run({ gateway.bin, ... })
  end

  it("explains itself and each subcommand", function()
    local help = run("--help")
    assert.equal(0, help.code)
    for name in help.out:gmatch("\n  (%l[%l-]+)  ") do
      local one = run(name, "--help")
      assert.equal(0, one.code)
      assert.is_truthy(one.out:find("atoms " .. name, 1, true), one.out)
    end
    assert.equal(2, run().code)
  end)

  it("tells its version", function()
    assert.matches("^atoms %d+%.%d+%.%d+", run("version").out)
  end)

  it("offers the subcommand and the option that were meant", function()
    local wrong = run("srve")
    assert.equal(2, wrong.code)
    assert.matches("serve", wrong.err)
    wrong = run("serve", "--confg", "x")
    assert.equal(2, wrong.code)
    assert.matches("%-%-config", wrong.err)
  end)

  it("checks a configuration without starting, and prints one to begin with that is right", function()
    local shipped = run("check-config", "--shipped")
    assert.equal(0, shipped.code)
    local file = support.shell.write(support.shell.folder() .. "/atoms.lua", shipped.out)
    local checked = run("check-config", "--config", file)
    assert.equal(0, checked.code, checked.err)
    support.shell.write(file, "return { workers = 0 }")
    checked = run("check-config", "--config", file, "--quiet")
    assert.equal(1, checked.code)
    assert.matches("atoms%.lua:1", checked.err)
    support.shell.clean()
  end)

  it("prints no secret when it checks", function()
    local checked = support.shell.run({ "env", "ATOMS_JWT_SECRET=" .. ("hush"):rep(10), gateway.bin, "check-config" })
    assert.equal(0, checked.code, checked.err)
    assert.is_nil((checked.out .. checked.err):find("hushhush", 1, true))
    assert.matches("%(set%)", checked.out)
  end)
end)

describe("docs/operations.md", function()
  it("shows the configuration that is shipped, line for line", function()
    local shipped = support.shell.must({ gateway.bin, "check-config", "--shipped" })
    local shown = support.shell.read("docs/operations.md"):match("```lua\n(%-%- The configuration.-)```")
    local function without_processors(text) -- their number is this machine's
      return (text:gsub('env%("ATOMS_WORKERS", %d+%)', "env(…)"))
    end
    assert.equal(without_processors(shipped), without_processors(shown))
  end)
end)
