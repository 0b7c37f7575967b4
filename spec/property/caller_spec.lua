-- What a client sends again when its connection broke before the answer.

local links = require("property.links")
local repeats = require("property.repeats")

--- A loop without sockets: `connections` holds the paths of what was sent over each.
local function new_loop()
  local loop = { connections = {} }
  function loop.connect(self)
    self.connections[#self.connections + 1] = {}
  end
  function loop.send(self, _, bytes)
    table.insert(self.connections[#self.connections], bytes:match("^%S+ (%S+)"))
  end
  return loop
end

local function request(path, again)
  return { path = path, bearer = "b", again = again }
end

local function answer(text)
  return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#text, text)
end

local function unwanted()
  return nil
end

describe("a connection that breaks", function()
  local loop, caller

  before_each(function()
    loop = new_loop()
    caller = links.caller(loop)
  end)

  it("sends what was not answered again, in order", function()
    local first = caller:send(request("/1"))
    caller:send(request("/2"))
    caller:send(request("/3"))
    caller:on_bytes(answer("one"))
    caller:reopen()
    assert.same({ { "/1", "/2", "/3" }, { "/2", "/3" } }, loop.connections)
    assert.equal("one", first.body)
  end)

  it("drops what is not wanted any more, and gives the answers to the others", function()
    local tickets = { caller:send(request("/1")), caller:send(request("/2", unwanted)), caller:send(request("/3")) }
    caller:reopen()
    caller:on_bytes(answer("one") .. answer("three"))
    assert.same({ "/1", "/3" }, loop.connections[2])
    assert.same({ "one", nil, "three" }, { tickets[1].body, tickets[2].body, tickets[3].body })
    assert.is_true(tickets[2].is_done and tickets[2].is_dropped)
  end)

  it("sends what is wanted instead, and that again after another break", function()
    local asked = 0
    local function again()
      asked = asked + 1
      return request("/instead" .. asked, again)
    end
    caller:send(request("/1", again))
    caller:reopen()
    caller:reopen()
    assert.same({ { "/1" }, { "/instead1" }, { "/instead2" } }, loop.connections)
  end)
end)

describe("a client with a request that was not answered", function()
  local function commands(...)
    local list = {}
    for i, is_superseded in ipairs({ ... }) do
      list[i] = { command_id = "c" .. i, is_superseded = is_superseded }
    end
    return list
  end

  local function ids(item)
    local list = {}
    for i, command in ipairs(item.commands) do
      list[i] = command.command_id .. " " .. item.allowed[i]
    end
    return list
  end

  it("sends a batch again without what it has replaced since", function()
    local item = { commands = commands(false, true, false), allowed = { "a1", "a2", "a3" } }
    assert.is_true(repeats.cut(item))
    assert.same({ "c1 a1", "c3 a3" }, ids(item))
  end)

  it("sends nothing when it has replaced all", function()
    assert.is_false(repeats.cut({ commands = commands(true), allowed = { {} } }))
    assert.is_false(repeats.cut({ commands = commands(true, true), allowed = { {}, {} } }))
  end)

  it("sends no atomic batch of which it has replaced a part", function()
    assert.is_false(repeats.cut({ commands = commands(false, true), allowed = { {}, {} }, is_atomic = true }))
    assert.is_true(repeats.cut({ commands = commands(false, false), allowed = { {}, {} }, is_atomic = true }))
  end)

  it("repeats no command that was refused before, and any other", function()
    local function item(first)
      return { commands = commands(false), allowed = { {} }, first = { ticket = first } }
    end
    assert.is_false(repeats.cut(item({ is_done = true, status = 409 })))
    assert.is_true(repeats.cut(item({ is_done = true, status = 200 })))
    assert.is_true(repeats.cut(item({ is_done = false })))
  end)
end)
