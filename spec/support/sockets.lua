--- What sockets a process holds, from /proc (Linux).
---
---   sockets.outgoing(pid) → list of "tcp local → remote": those that the process holds and neither listens on nor has accepted

local shell = require("support.shell")

local sockets = {}

local LISTENS = "0A"

local function inodes_of(pid)
  local pipe = assert(io.popen(("ls -l /proc/%d/fd"):format(pid)))
  local inodes = {}
  for inode in pipe:read("a"):gmatch("socket:%[(%d+)%]") do
    inodes[inode] = true
  end
  pipe:close()
  return inodes
end

--- Its sockets as {kind=, here=, there=, port=, state=}.
local function held(pid)
  local inodes, list = inodes_of(pid), {}
  for _, kind in ipairs({ "tcp", "tcp6", "udp", "udp6" }) do
    for line in (shell.read(("/proc/%d/net/%s"):format(pid, kind)) or ""):gmatch("[^\n]+") do
      local here, there, state, inode = line:match("^%s*%d+: (%x+:%x+) (%x+:%x+) (%x%x) %S+ %S+ %S+%s+%d+%s+%d+ (%d+)")
      if here and inodes[inode] then
        list[#list + 1] = { kind = kind:sub(1, 3), here = here, there = there, port = here:match("%x+$"), state = state }
      end
    end
  end
  return list
end

--- While others come and go, a look at the kernel's table may miss a row: two of them do not miss the same one.
local function ports_of(...)
  local ports = {}
  for _, list in ipairs({ ... }) do
    for _, socket in ipairs(list) do
      ports[socket.port] = ports[socket.port] or socket.kind == "tcp" and socket.state == LISTENS
    end
  end
  return ports
end

function sockets.outgoing(pid)
  local list, found = held(pid), {}
  local is_listening = ports_of(list, held(pid))
  for _, socket in ipairs(list) do
    if socket.kind == "udp" or not is_listening[socket.port] then
      found[#found + 1] = ("%s %s → %s"):format(socket.kind, socket.here, socket.there)
    end
  end
  return found
end

return sockets
