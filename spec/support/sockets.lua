--- What sockets a process holds, from /proc (Linux).
---
---   sockets.outgoing(pid) → list of "tcp local → remote": those that the process holds and neither listens on nor has accepted
---   sockets.watch(pid) → a function that lists those which it did not have when watch was called: it may have inherited some of ours

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

function sockets.outgoing(pid)
  local list, listening, found = held(pid), {}, {}
  for _, socket in ipairs(list) do
    listening[socket.port] = listening[socket.port] or socket.kind == "tcp" and socket.state == LISTENS
  end
  for _, socket in ipairs(list) do
    if socket.kind == "udp" or not listening[socket.port] then
      found[#found + 1] = ("%s %s → %s"):format(socket.kind, socket.here, socket.there)
    end
  end
  return found
end

function sockets.watch(pid)
  local known = {}
  for _, socket in ipairs(sockets.outgoing(pid)) do
    known[socket] = true
  end
  return function()
    local new = {}
    for _, socket in ipairs(sockets.outgoing(pid)) do
      new[#new + 1] = not known[socket] and socket or nil
    end
    return new
  end
end

return sockets
