-- The frames that carry an id are a pure function of the spine: however a session is cut, restarted or spread over workers.

local support = require("support")
local command = support.command

describe("the frames with an id", function()
  local LENGTH = 300
  local gateway, ann, make, live

  local function read_carried(stream, count)
    stream:find(count .. " frames with an id", function()
      return #stream.carried >= count
    end)
    return table.concat(stream.carried, "", 1, count)
  end

  local function open(options)
    options.bearer = options.bearer or ann
    options.run_id = make.run_id
    return gateway:stream(options)
  end

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
    make = command.maker()
    local other = command.maker({ run_id = make.run_id, canvas_id = "c2" })
    live = { timeline = open({}), canvas = open({ canvas_id = "c1" }) }
    local commands = command.history(make, LENGTH)
    table.insert(commands, 2, other:mount())
    for i = 10, LENGTH, 10 do
      table.insert(commands, i, other:insert("other" .. i))
    end
    gateway:send(ann, commands[1])
    gateway:send_all(ann, table.move(commands, 2, #commands, 1, {}))
    live.head = open({ cursor = "now" }):expect("resume").json.data.head
    for name, stream in pairs({ timeline = live.timeline, canvas = live.canvas }) do
      local head = open({ canvas_id = name == "canvas" and "c1" or nil, cursor = "now" }):expect("resume").json.data.head
      stream:find("the end of " .. name, function(frame)
        return frame.id == head
      end)
      live[name] = { bytes = table.concat(stream.carried), count = #stream.carried, head = head }
    end
  end)

  teardown(support.stop_all)

  local function whole(options)
    options.cursor = "earliest"
    return read_carried(open(options), options.canvas_id and live.canvas.count or live.timeline.count)
  end

  --- Cuts a session at places that `sizes` gives in turn and joins what came.
  local function cut(options, total, sizes)
    local parts, got, last, at = {}, 0, nil, 1
    while got < total do
      local count = math.min(sizes[at], total - got)
      local stream = open({ canvas_id = options.canvas_id, cursor = last == nil and "earliest" or nil, last_event_id = last })
      parts[#parts + 1] = read_carried(stream, count)
      assert.equal("exact", stream.verdict.status)
      last = stream.last_id
      if #stream.carried > count then
        last = stream.carried[count]:match("\nid: ([^\n]+)\n")
      end
      stream:close()
      got, at = got + count, at % #sizes + 1
    end
    return table.concat(parts)
  end

  it("are the same live and on replay, on the timeline and on a canvas stream", function()
    assert.is_true(live.timeline.count > live.canvas.count)
    assert.equal(live.timeline.bytes, whole({}))
    assert.equal(live.canvas.bytes, whole({ canvas_id = "c1" }))
  end)

  it("are the same however a session is cut into reconnects", function()
    for _, sizes in ipairs({ { 1, 2, 3, 5, 8, 13, 21 }, { 64 }, { 299, 1 }, { 7 }, { 255, 1 } }) do
      assert.equal(live.timeline.bytes, cut({}, live.timeline.count, sizes))
      assert.equal(live.canvas.bytes, cut({ canvas_id = "c1" }, live.canvas.count, sizes))
    end
  end)

  it("are the same after kill -9 and a restart, with another number of workers", function()
    gateway:kill()
    for _, workers in ipairs({ 1, 2, 3 }) do
      gateway.env.ATOMS_WORKERS = workers
      gateway:restart()
      assert.equal(live.timeline.bytes, whole({}))
      assert.equal(live.canvas.bytes, cut({ canvas_id = "c1" }, live.canvas.count, { 31 }))
    end
  end)

  it("are the same to every actor that shares the lens, surface and app notwithstanding", function()
    local eve = gateway:bearer({ actor = "eve", role = "owner", kind = "agent" })
    assert.equal(live.timeline.bytes, whole({ bearer = eve, surface_id = "mobile", app_id = "other" }))
  end)

  it("are the same when blocks and ring are tiny, so that most comes from the spine again and again", function()
    gateway.config = "return { limits = { ring_bytes = 4096, block_cache_bytes = 1048576, view_idle_ms = 100, run_idle_ms = 100 } }"
    gateway:restart()
    assert.equal(live.timeline.bytes, whole({}))
    assert.equal(live.timeline.bytes, cut({}, live.timeline.count, { 50, 3 }))
  end)

  it("resume exactly behind the cursor of an answer to a command", function()
    local answer = gateway:send(ann, make:tokens({ ["plan.days"] = 11 }))
    local next_answer = gateway:send(ann, make:tokens({ ["plan.days"] = 12 }))
    local stream = open({ last_event_id = answer.cursor })
    stream:expect("resume")
    assert.equal(next_answer.cursor, stream:expect("token_patch").id)
  end)
end)

describe("what a client shows", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
    make = command.maker()
    gateway:send_all(ann, command.history(make, 200))
  end)

  teardown(support.stop_all)

  local function shown(state)
    local view = support.view.of(state)
    for _, canvas in pairs(view.canvases) do
      canvas.rev = nil
    end
    return view
  end

  local function show(options)
    options.bearer, options.run_id = ann, make.run_id
    local stream, view = gateway:stream(options), support.view.new()
    view:feed(stream:expect("resume"))
    stream:find("the head", function(frame)
      view:feed(frame)
      return frame.id == stream.verdict.head
    end)
    for _, canvas in pairs(view.canvases) do
      canvas.rev = nil
    end
    return view
  end

  it("is the same from the first event, from a checkpoint and from GET /v1/state", function()
    local state = shown(gateway:state(ann, { run_id = make.run_id }))
    assert.same(state, show({ cursor = "earliest" }))
    assert.same(state, show({}))
  end)

  it("is the same as of any cursor in between", function()
    local stream, view = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "earliest" }), support.view.new()
    stream:expect("resume")
    for i = 1, 200 do
      local frame = view:feed(stream:next())
      if i % 37 == 0 then
        local copy = shown(gateway:state(ann, { run_id = make.run_id, at = frame.id }))
        for id, canvas in pairs(view.canvases) do
          assert.same(canvas.blocks, copy.canvases[id].blocks)
        end
        assert.same(view.tokens, copy.tokens)
      end
    end
  end)
end)
