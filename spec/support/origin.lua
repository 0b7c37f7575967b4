--- A small HTTP origin for the program under test: serves files of a folder, each with its answer, and notes what was asked of it. It is
--- a process of its own, so that a spec may wait for the gateway meanwhile.
---
---   origin.start() → o       o.url, o:answer(path, text, {status=, headers={…}}), o:requests() → {"GET /keys", …}, o:stop()
---
--- Run as a program (`lua5.4 spec/support/origin.lua <folder>`) it is that server.

local socket = require("socket")

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a")
  if file then
    file:close()
  end
  return text
end

local function serve_one(folder, peer)
  peer:settimeout(5)
  local line = peer:receive("*l")
  if not line then
    return
  end
  repeat
    local header = peer:receive("*l")
  until not header or header == ""
  local log = assert(io.open(folder .. "/requests", "a"))
  log:write(line:match("^%S+ %S+") or line, "\n")
  log:close()
  local name = (line:match("^%S+ /(%S*)") or ""):gsub("[^%w.-]", "_")
  peer:send(read(folder .. "/answer." .. name) or "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
end

local function serve(folder)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  local file = assert(io.open(folder .. "/port.new", "w"))
  file:write(port, "\n")
  file:close()
  assert(os.rename(folder .. "/port.new", folder .. "/port"))
  while true do
    local peer = listener:accept()
    if peer then
      serve_one(folder, peer)
      peer:close()
    end
  end
end

if arg and arg[0] and arg[0]:find("support/origin.lua$") and ... == arg[1] then
  serve(arg[1])
end

local clock = require("support.clock")
local shell = require("support.shell")

local origin = {}

local Origin = {}
Origin.__index = Origin

function origin.start()
  local self = setmetatable({ folder = shell.folder() }, Origin)
  local line = ("lua5.4 spec/support/origin.lua %s >/dev/null 2>&1 & echo $! >%s/pid"):format(self.folder, self.folder)
  os.execute(("sh -c %s </dev/null"):format(shell.quote(line)))
  self.port = clock.until_true("the origin to listen", function()
    return tonumber(shell.read(self.folder .. "/port") or "")
  end)
  self.url = "http://127.0.0.1:" .. self.port
  return self
end

function Origin:answer(path, text, options)
  options = options or {}
  local lines = { ("HTTP/1.1 %d Made\r\nConnection: close\r\nContent-Length: %d"):format(options.status or 200, #text) }
  for name, value in pairs(options.headers or {}) do
    lines[#lines + 1] = name .. ": " .. value
  end
  local name = self.folder .. "/answer." .. path:gsub("^/", ""):gsub("[^%w.-]", "_")
  shell.write(name .. ".new", table.concat(lines, "\r\n") .. "\r\n\r\n" .. text)
  assert(os.rename(name .. ".new", name))
end

function Origin:requests()
  local list = {}
  for line in (shell.read(self.folder .. "/requests") or ""):gmatch("[^\n]+") do
    list[#list + 1] = line
  end
  return list
end

function Origin:stop()
  os.execute("kill " .. shell.read(self.folder .. "/pid"):match("%d+") .. " 2>/dev/null")
end

return origin
