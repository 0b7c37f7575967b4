--- Many schedules in one thread: coroutines that wait, and the sockets that wake them.
---
---   local loop = reactor.new(address)                address() → host, port of the gateway as it is now
---   loop:spawn(act, on_end)                          act(task) in a coroutine; on_end(task, ok, message)
---   task:wait(what, predicate)                       returns once the predicate is true; an error after `patience` seconds
---   loop:turn()                                      one round: reads, writes, wakes; false when no task is left
---   loop:break_all(restart)                          every connection breaks; restart() runs; every link comes back by itself
---
--- A link is a table with: task, reopen(self) which calls loop:connect(self), and on_bytes(self, bytes). loop:connect(link),
--- loop:send(link, bytes), loop:close(link) do the rest. A link that the gateway closes by itself is told by on_closed(self), else an
--- error in its task.

local socket = require("socket")

local reactor = { patience = 30 }

-- ---- tasks ----------------------------------------------------------------------------------------------------------------------------

local Task = {}
Task.__index = Task

function Task:wait(what, predicate)
  local deadline = socket.gettime() + reactor.patience
  while not predicate() do
    self.waits_for, self.deadline = what, deadline
    coroutine.yield()
    if self.fault then
      error(self.fault, 0)
    end
  end
  self.deadline = nil
end

--- Ends the task with this message when it next runs.
function Task:fail(message)
  self.fault = self.fault or message
  self.loop.ready[self] = true
end

local Loop = {}
Loop.__index = Loop

function reactor.new(address)
  return setmetatable({ address = address, links = {}, sockets = {}, ready = {}, tasks = {}, count = 0 }, Loop)
end

function Loop:spawn(act, on_end)
  local task = setmetatable({ loop = self, on_end = on_end }, Task)
  task.thread = coroutine.create(function()
    act(task)
  end)
  self.tasks[task], self.ready[task], self.count = true, true, self.count + 1
  return task
end

local function run(self, task)
  local ok, message = coroutine.resume(task.thread)
  if coroutine.status(task.thread) == "dead" then
    self.tasks[task], self.count = nil, self.count - 1
    for link in pairs(self.links) do
      if link.task == task then
        self:close(link)
      end
    end
    task.on_end(task, ok, not ok and (type(message) == "string" and message or debug.traceback(task.thread, tostring(message))) or nil)
  end
end

local function run_ready(self)
  while next(self.ready) do
    local ready = self.ready
    self.ready = {}
    for task in pairs(ready) do
      if self.tasks[task] then
        run(self, task)
      end
    end
  end
end

local function expire(self, now)
  for task in pairs(self.tasks) do
    if task.deadline and now > task.deadline then
      task:fail("waited too long for " .. task.waits_for)
    end
  end
  self.checked = now
end

-- ---- links ----------------------------------------------------------------------------------------------------------------------------

function Loop:connect(link)
  local sock = socket.tcp()
  sock:settimeout(5)
  local ok, message = sock:connect(self.address())
  if not ok then
    sock:close()
    error("the gateway takes no connection: " .. message, 0)
  end
  sock:setoption("tcp-nodelay", true)
  sock:settimeout(0)
  link.sock, link.unsent = sock, ""
  self.links[link], self.sockets[sock] = true, link
end

function Loop:close(link)
  self.links[link] = nil
  if link.sock then
    self.sockets[link.sock] = nil
    link.sock:close()
    link.sock = nil
  end
end

local function flush(link)
  local sent, _, partial = link.sock:send(link.unsent)
  link.unsent = link.unsent:sub((sent or partial or 0) + 1)
end

function Loop.send(_, link, bytes)
  link.unsent = link.unsent .. bytes
  if #link.unsent == #bytes then
    flush(link)
  end
end

local function take(self, link)
  local bytes, message, partial = link.sock:receive(65536)
  bytes = bytes or partial
  if bytes and bytes ~= "" then
    link:on_bytes(bytes)
    self.ready[link.task] = true
  end
  if message == "closed" and self.links[link] then
    self:close(link)
    if link.on_closed then
      link:on_closed()
    else
      link.task:fail("the gateway closed a connection")
    end
    self.ready[link.task] = true
  end
end

local function list_sockets(self)
  local readers, writers = {}, {}
  for link in pairs(self.links) do
    readers[#readers + 1] = link.sock
    if link.unsent ~= "" then
      writers[#writers + 1] = link.sock
    end
  end
  return readers, writers
end

function Loop:turn()
  run_ready(self)
  local readers, writers = list_sockets(self)
  local readable, writable = socket.select(readers, writers, 0.2)
  for _, sock in ipairs(writable) do
    flush(self.sockets[sock])
  end
  for _, sock in ipairs(readable) do
    if self.sockets[sock] then
      take(self, self.sockets[sock])
    end
  end
  local now = socket.gettime()
  if now - (self.checked or 0) > 1 then
    expire(self, now)
  end
  run_ready(self)
  return self.count > 0
end

function Loop:break_all(restart)
  local broken = {}
  for link in pairs(self.links) do
    broken[#broken + 1] = link
  end
  for _, link in ipairs(broken) do
    self:close(link)
  end
  restart()
  for _, link in ipairs(broken) do
    link:reopen()
    self.ready[link.task] = true
  end
end

return reactor
