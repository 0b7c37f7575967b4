--- The real program, started on free ports with a data folder of its own.
---
---   gateway.start{env=, config=, scope=, folder=, admin_host=} → gateway (a client, see client.lua)
---       env: variables beside the harness's own (false takes one away); config: text of a configuration file
---   gateway:bearer{actor=, role=, kind=, tokens=, ttl=, …} → token signed with the gateway's secret (see jwt.claims)
---   gateway:minted{…argv} → token printed by `atoms token …` with this gateway's environment
---   gateway:admin(path, headers?, method?, body?) → response of the admin listener, with the custom header unless headers are given
---   gateway:metric(name) → sum over the lines of that metric, nil when there is none
---   gateway:stop() → exit code, after SIGTERM     gateway:signal("TERM"|"KILL"|…)     gateway:wait() → exit code
---   gateway:kill()  kill -9 and waits             gateway:restart(options?)  starts again on the same data folder; changes port
---   gateway:files() → the bytes of all files of its data folder, one after the other
---   gateway:output() / gateway:errors()           what it has printed and logged so far (the current process)
---   gateway.port, admin_port, pid, data_dir, folder, secret
---   gateway.refused{env=, config=} → {code=, out=, err=}     a start that must fail
---   gateway.stop_all()  ends everything and fails when a sanitizer had something to say or an end was not orderly

local api = require("support.api")
local client = require("support.client")
local clock = require("support.clock")
local http = require("support.http")
local json = require("support.json")
local jwt = require("support.jwt")
local shell = require("support.shell")

local gateway = { bin = os.getenv("ATOMS_BIN") or "build/asan/atoms" }

local Gateway = setmetatable({}, { __index = client.Client })
Gateway.__index = Gateway

local running = {}

local SCOPE = { tenant_id = "acme", mode = "dev", project_id = "p1", surface_id = "web", app_id = "demo", run_id = "r1" }

local function environment(self)
  local env = {
    ATOMS_LISTEN = "127.0.0.1:0",
    ATOMS_ADMIN_LISTEN = "127.0.0.1:0",
    ATOMS_DATA_DIR = self.data_dir,
    ATOMS_JWT_SECRET = self.secret,
    ATOMS_LOG_LEVEL = "debug",
    ATOMS_WORKERS = 2,
    ATOMS_CANVASES_DIR = "canvases",
    ATOMS_WATCH_SCRIPTS = "off",
    ASAN_OPTIONS = "exitcode=99:detect_leaks=1",
    UBSAN_OPTIONS = "halt_on_error=1:exitcode=99:print_stacktrace=1",
    TSAN_OPTIONS = "exitcode=99:halt_on_error=1",
  }
  for name, value in pairs(self.env) do
    env[name] = value
  end
  local words = { "env" }
  for name, value in pairs(env) do
    if value ~= false then
      words[#words + 1] = name .. "=" .. tostring(value)
    end
  end
  return words
end

local function command_line(self, ...)
  local words = environment(self)
  for _, word in ipairs({ gateway.bin, ... }) do
    words[#words + 1] = word
  end
  return words
end

local function serve_words(self)
  if not self.config then
    return command_line(self, "serve")
  end
  return command_line(self, "serve", "--config", shell.write(self.folder .. "/atoms.lua", self.config))
end

local function file(self, name)
  return ("%s/%d.%s"):format(self.folder, self.life, name)
end

function Gateway:files()
  local listing = assert(io.popen(("find '%s' -type f -exec cat {} +"):format(self.data_dir)))
  local bytes = listing:read("a")
  listing:close()
  return bytes
end

function Gateway:output()
  return shell.read(file(self, "out")) or ""
end

function Gateway:errors()
  return shell.read(file(self, "err")) or ""
end

local function exit_code(self)
  local text = shell.read(file(self, "exit"))
  return text and tonumber(text:match("^(%d+)\n"))
end

local function await_ready(self)
  return clock.until_true("the gateway to be ready", function()
    local port, admin_port = self:output():match("ready on %w+://[^ ]-:(%d+) %(admin %w+://[^ ]-:(%d+)%)")
    if not port and exit_code(self) then
      error(("the gateway ended with %d: %s"):format(exit_code(self), self:errors()), 0)
    end
    return port and { tonumber(port), tonumber(admin_port) }
  end)
end

--- The shell waits for the program, so that its exit code is known although it is not our child.
local function spawn(self)
  self.life = self.life + 1
  local line = ("%s >%s 2>%s & echo $! >%s; wait $!; echo $? >%s"):format(
    shell.line(serve_words(self)), file(self, "out"), file(self, "err"), file(self, "pid"), file(self, "exit"))
  os.execute(("sh -c %s </dev/null >/dev/null 2>&1 &"):format(shell.quote(line)))
  local ports = await_ready(self)
  self.pid = clock.until_true("the gateway's process id", function() -- the shell may write it later than the program is ready
    return tonumber((shell.read(file(self, "pid")) or ""):match("^(%d+)\n"))
  end)
  self.port, self.admin_port = ports[1], ports[2]
  self.connection = nil
  self.base = { host = "127.0.0.1", port = self.port, base = "", tls = self.tls }
  running[self] = true
  return self
end

function gateway.start(options)
  options = options or {}
  local folder = options.folder or shell.folder()
  local self = setmetatable({
    env = options.env or {},
    config = options.config,
    scope = {},
    folder = folder,
    data_dir = folder .. "/data",
    secret = options.secret or "a secret of the specs, long enough for HS256",
    life = 0,
  }, Gateway)
  for _, source in ipairs({ SCOPE, options.scope or {} }) do
    for name, value in pairs(source) do
      self.scope[name] = value
    end
  end
  return spawn(self)
end

function gateway.refused(options)
  local folder = shell.folder()
  local self = { env = options.env or {}, config = options.config, folder = folder, data_dir = folder .. "/data", life = 1,
                 secret = "a secret of the specs, long enough for HS256" }
  local words = serve_words(self)
  table.move({ "timeout", tostring(clock.seconds) }, 1, 2, 1, table.move(words, 1, #words, 3))
  return shell.run(words)
end

function Gateway:bearer(options)
  return jwt.hs256(jwt.claims(options or {}), self.secret)
end

function Gateway:minted(argv)
  return (shell.must(command_line(self, "token", table.unpack(argv))):gsub("%s+$", ""))
end

function Gateway:program(argv)
  return shell.run(command_line(self, table.unpack(argv)))
end

function Gateway:admin(path, headers, method, body)
  local connection = http.connect({ host = "127.0.0.1", port = self.admin_port })
  headers = headers or { ["X-Atoms-Admin"] = "1" }
  headers["Content-Type"] = body and "application/json"
  local response = connection:call({ method = method or "GET", path = path, headers = headers, body = body })
  connection:close()
  if (response.headers["content-type"] or ""):find("[/+]json$") and response.body ~= "" then
    response.json = json.must(response.body)
  end
  api.check_answer(method or "GET", path, response)
  return response
end

function Gateway:metric(name)
  local sum
  for line in self:admin("/metrics").body:gmatch("[^\n]+") do
    local value = line:match("^" .. name .. "{[^}]*} (%S+)$") or line:match("^" .. name .. " (%S+)$")
    sum = value and (sum or 0) + tonumber(value) or sum
  end
  return sum
end

function Gateway:signal(name)
  os.execute(("kill -%s %d 2>/dev/null"):format(name, self.pid))
end

local function judge(self, code)
  local text = self:errors()
  for _, sign in ipairs({ "Sanitizer", "runtime error:", "Assertion" }) do
    local at = text:find(sign, 1, true)
    if at then
      error("the gateway is faulty: " .. text:sub(math.max(1, at - 300), at + 4000), 0)
    end
  end
  return code
end

function Gateway:wait(seconds)
  local code = clock.until_true("the gateway to end", function()
    return exit_code(self)
  end, seconds)
  running[self] = nil
  self.connection = nil
  return judge(self, code)
end

function Gateway:stop(seconds)
  self:signal("TERM")
  return self:wait(seconds)
end

function Gateway:kill()
  self:signal("KILL")
  return self:wait()
end

function Gateway:restart(options)
  if running[self] then
    self:stop()
  end
  for name, value in pairs(options or {}) do
    self[name] = value
  end
  return spawn(self)
end

function gateway.stop_all()
  local faults = {}
  for self in pairs(running) do
    local ok, code = pcall(self.stop, self)
    if not ok then
      self:signal("KILL")
      faults[#faults + 1] = tostring(code)
    elseif code ~= 0 then
      faults[#faults + 1] = ("the gateway ended with %s: %s"):format(code, self:errors():sub(-2000))
    end
  end
  running = {}
  shell.clean()
  if #faults > 0 then
    error(table.concat(faults, "\n"), 0)
  end
end

return gateway
