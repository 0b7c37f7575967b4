-- Chat: messages, streamed tokens in both forms, stopping, leases, late readers; against the real program.

local support = require("support")
local fold = require("atoms.fold")
local uploads = require("support.uploads")
local command, clock, json = support.command, support.clock, support.json

describe("chat", function()
  local gateway, ann, bot, make

  setup(function()
    gateway = support.start({ config = "return { limits = { chat_lease_ms = 1500 } }" })
    ann = gateway:bearer({ actor = "ann" })
    bot = gateway:bearer({ actor = "bot", kind = "agent" })
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker({ canvas_id = json.null })
    make.ids.canvas_id = nil
  end)

  local function ids(more)
    local all = { run_id = make.run_id }
    for name, value in pairs(more or {}) do
      all[name] = value
    end
    return gateway:ids(all)
  end

  local function send(bearer, args, id)
    local body = ids({ command_id = id or command.id(), args = json.object(args) })
    return gateway:post("/v1/chat", bearer, body)
  end

  --- Opens a streamed message; its id.
  local function open(bearer)
    local id = command.id("m")
    assert.equal(200, send(bearer or bot, { message_id = id, stream = true }).status)
    return id
  end

  local function post(bearer, id, values)
    return gateway:post("/v1/chat/" .. id .. "/tokens", bearer, ids(values))
  end

  local function cancel(bearer, id)
    return gateway:send(bearer, make("chat.cancel", { message_id = id }))
  end

  local function upload(bearer, id)
    return uploads.open(gateway, bearer, id, ids())
  end

  -- ---- reading ----

  local function follow(options)
    options = options or {}
    options.bearer = options.bearer or ann
    options.run_id = make.run_id
    return gateway:stream(options)
  end

  local function message_of(id)
    return gateway:state(ann, { run_id = make.run_id }).chat.messages[id]
  end

  --- All parts about one message, in order, from the first event on; waits for its end.
  local function parts_of(id)
    local parts, stream = {}, follow({ cursor = "earliest" })
    stream:find("the end of " .. id, function(frame)
      for _, part in ipairs(frame.event == "chat_token" and frame.json.data.parts or {}) do
        if part.message_id == id then
          parts[#parts + 1] = part
        end
      end
      return #parts > 0 and parts[#parts]["end"]
    end)
    stream:close()
    return parts
  end

  local tokens = { "Gr", "üß", "e, ", "😀", "\n", "日本", "語 ", "\"quoted\" ", "end." }
  local whole = table.concat(tokens)

  -- ---- messages ----

  it("takes a message under the same key as the command of its own name", function()
    local first = send(ann, { text = "Hello" }, "c1")
    assert.equal(200, first.status)
    local again = gateway:post("/v1/commands", ann, ids({ command_id = "c1", type = "chat_send", args = { text = "Hello" } }))
    assert.equal(first.body, again.body)
    local order = gateway:state(ann, { run_id = make.run_id }).chat.order
    assert.equal(1, #order)
    assert.equal("done", message_of(order[1])["end"])
    assert.equal("ann", message_of(order[1]).author.id)
  end)

  it("refuses a type in the body, bytes, and an id that stands", function()
    local typed = gateway:post("/v1/chat", ann, ids({ command_id = "c", type = "chat_send", args = { text = "x" } }))
    assert.equal("unknown_member", typed.json.code)
    local bytes = send(ann, { text = "data:image/png;base64,AAAA" })
    assert.equal("bytes_refused", bytes.json.code)
    assert.equal("/args/text", bytes.json.path)
    local id = open()
    assert.equal("message_exists", send(ann, { message_id = id, text = "x" }).json.code)
  end)

  -- ---- both forms ----

  it("ends alike, whether the tokens came as short posts or as one chunked body", function()
    local short, chunked = open(), open()
    local offset = 0
    local stream = upload(bot, chunked)
    for _, token in ipairs(tokens) do
      local answer = post(bot, short, { offset = offset, text = token })
      assert.equal(200, answer.status)
      offset = offset + utf8.len(token)
      assert.equal(offset, answer.json.next_offset)
      stream:line({ text = token })
    end
    assert.equal(200, post(bot, short, { offset = offset, ["end"] = "done" }).status)
    stream:line({ ["end"] = "done" })
    local answer = stream:finish()
    assert.equal(200, answer.status)
    assert.same({ status = "committed", message_id = chunked, next_offset = offset, ["end"] = "done" }, answer.json)
    local a, b = message_of(short), message_of(chunked)
    a.ts, b.ts = nil, nil
    assert.same(a, b)
    assert.equal(whole, a.text)
    for _, id in ipairs({ short, chunked }) do
      local text, ends = "", 0
      for _, part in ipairs(parts_of(id)) do
        ends = ends + (part["end"] and 1 or 0)
        if part.text then
          assert.equal(utf8.len(text), part.offset)
          text = text .. part.text
        end
      end
      assert.equal(whole, text)
      assert.equal(1, ends)
    end
  end)

  it("shows tokens of a chunked body while it is still open", function()
    local id = open()
    local stream = follow({ cursor = "now" })
    stream:expect("resume")
    local body = upload(bot, id)
    for i, token in ipairs(tokens) do
      body:line({ text = token })
      local frame = stream:expect("chat_token")
      assert.equal(token, frame.json.data.parts[1].text, i)
      assert.equal("bot", frame.json.actor.id)
    end
    body:line({ ["end"] = "done" })
    assert.equal("done", stream:expect("chat_token").json.data.parts[1]["end"])
    assert.equal(200, body:finish().status)
    stream:close()
  end)

  it("reads a chunked body alike at every split", function()
    local lines = {}
    for _, token in ipairs(tokens) do
      lines[#lines + 1] = json.encode({ text = token }) .. "\n"
    end
    local text = table.concat(lines) .. "\n" .. json.encode({ ["end"] = "done" })
    for _, size in ipairs({ 1, 2, 7, 64 }) do
      local id = open()
      local body = upload(bot, id)
      for at = 1, #text, size do
        body:write(text:sub(at, at + size - 1))
      end
      assert.equal(200, body:finish().status)
      assert.equal(whole, message_of(id).text)
    end
  end)

  it("answers a repeated post as the first time, and a gap with the expected offset", function()
    local id = open()
    local first = post(bot, id, { offset = 0, text = "Grüße" })
    assert.equal(first.body, post(bot, id, { offset = 0, text = "Grüße" }).body)
    local gap = post(bot, id, { offset = 7, text = "x" })
    assert.equal(409, gap.status)
    assert.equal("chat_gap", gap.json.code)
    assert.equal(5, gap.json.expected)
    assert.equal("/offset", gap.json.path)
    assert.equal("chat_text_differs", post(bot, id, { offset = 3, text = "x" }).json.code)
    assert.equal(200, post(bot, id, { offset = 3, text = "ße!" }).status)
    assert.equal("Grüße!", message_of(id).text)
    assert.equal(200, post(bot, id, { offset = 6, ["end"] = "done" }).status)
    assert.equal(first.body, post(bot, id, { offset = 0, text = "Grüße" }).body)
  end)

  it("tells in an answer to nothing where a message goes on", function()
    local id = open()
    post(bot, id, { offset = 0, text = "Grüße" })
    assert.equal(5, post(bot, id, {}).json.next_offset)
  end)

  it("lets a producer that lost its connection go on where it was", function()
    local id = open()
    local body = upload(bot, id)
    body:line({ text = "first " })
    clock.until_true("the first tokens", function() return message_of(id).text == "first " end)
    body.connection:close()
    body = upload(bot, id)
    body:line({ text = "first " }) -- from the beginning, as it knows no better: what is there is not added again
    body:line({ text = "second" })
    assert.equal(200, body:finish().status)
    body = upload(bot, id)
    body:line({ offset = 12, text = "!", ["end"] = "done" })
    assert.equal(200, body:finish().status)
    assert.equal("first second!", message_of(id).text)
  end)

  it("puts tokens of several messages into one event", function()
    local list, bodies, shared = {}, {}, false
    for i = 1, 8 do
      list[i] = open()
      bodies[i] = upload(bot, list[i])
    end
    for round = 1, 20 do
      for i = 1, 8 do
        bodies[i]:line({ text = ("%d.%d "):format(i, round) })
      end
    end
    for i = 1, 8 do
      bodies[i]:line({ ["end"] = "done" })
      assert.equal(200, bodies[i]:finish().status)
    end
    local run, stream, ended = fold.new(), follow({ cursor = "earliest" }), 0
    while ended < 8 do
      local frame = stream:next()
      run:feed(frame.json, frame.id)
      local seen = {}
      for _, part in ipairs(frame.event == "chat_token" and frame.json.data.parts or {}) do
        seen[part.message_id] = true
        ended = ended + (part["end"] and 1 or 0)
      end
      local first = next(seen)
      shared = shared or (first and next(seen, first) ~= nil)
    end
    stream:close()
    assert.is_true(shared)
    for _, id in ipairs(list) do
      assert.equal(message_of(id).text, run.chat.messages[id].text)
    end
  end)

  -- ---- late readers ----

  it("tells a late reader the text so far, before the frame that carries the id", function()
    local id = open()
    post(bot, id, { offset = 0, text = "so far" })
    gateway:send(ann, command.maker({ run_id = make.run_id, canvas_id = "c1" }):mount())
    for _, canvas_id in ipairs({ false, "c1" }) do
      local stream = follow({ canvas_id = canvas_id or nil })
      stream:expect("resume")
      local frame = stream:expect("chat_message")
      assert.is_nil(frame.id)
      assert.equal("so far", frame.json.data.text)
      assert.equal(json.null, frame.json.data["end"])
      assert.equal("bot", frame.json.actor.id)
      assert.is_string(stream:expect("CANVAS_READY").id)
      local offset = message_of(id).text == "so far" and 6 or utf8.len(message_of(id).text)
      post(bot, id, { offset = offset, text = "!" })
      assert.equal(offset, stream:expect("chat_token").json.data.parts[1].offset)
      stream:close()
      if not canvas_id then -- the next reader comes to the same text
        make.run_id = command.run()
        id = open()
        post(bot, id, { offset = 0, text = "so far" })
        gateway:send(ann, command.maker({ run_id = make.run_id, canvas_id = "c1" }):mount())
      end
    end
  end)

  -- ---- stopping ----

  it("stops by a command: the upload hears of it although it says nothing, and there is one end", function()
    local id = open()
    local body = upload(bot, id)
    body:line({ text = "thinking" })
    clock.until_true("the first tokens", function() return message_of(id).text == "thinking" end)
    assert.equal(1, cancel(ann, id).events)
    local answer = body:response()
    assert.equal(409, answer.status)
    assert.equal("chat_ended", answer.json.code)
    assert.equal("cancelled", answer.json["end"])
    assert.is_true(body.connection:is_closed())
    local late = post(bot, id, { offset = 8, text = "!" })
    assert.equal(409, late.status)
    assert.equal("cancelled", late.json["end"])
    assert.equal(0, cancel(ann, id).events)
    local parts = parts_of(id)
    assert.equal("cancelled", parts[#parts]["end"])
    assert.equal("thinking", message_of(id).text)
  end)

  it("takes tokens from the author or a service, and from nobody else", function()
    local id = open()
    local refused = post(ann, id, { offset = 0, text = "x" })
    assert.equal(403, refused.status)
    assert.equal("not_author", refused.json.code)
    local service = gateway:bearer({ actor = "relay", kind = "service", role = "service" })
    assert.equal(200, post(service, id, { offset = 0, text = "x" }).status)
    local viewer = gateway:bearer({ actor = "bot", kind = "agent", role = "viewer" })
    assert.equal("not_allowed", post(viewer, id, { offset = 1, text = "x" }).json.code)
    assert.equal(403, upload(ann, id):response().status)
  end)

  it("does not know a message that is not there, in either form", function()
    assert.equal(404, post(bot, "nothing", { offset = 0, text = "x" }).status)
    assert.equal(404, upload(bot, "nothing"):response().status)
    assert.equal(401, upload("no.such.bearer", "nothing"):response().status)
  end)

  it("names the line that is wrong", function()
    for _, case in ipairs({
      { "{\"text\":1}\n", "bad_shape", "/1/text" },
      { "{\"html\":\"x\"}\n", "unknown_member", "/1" },
      { "{\"text\":\n", "json_malformed", nil },
      { "[]\n", "bad_shape", "/1" },
    }) do
      local body = upload(bot, open())
      body:line({ text = "fine" })
      body:write(case[1])
      local answer = body:response()
      assert.equal(400, answer.status)
      assert.equal(case[2], answer.json.code)
      if case[3] then
        assert.equal(case[3], answer.json.path)
      end
    end
  end)

  it("limits a message, however it is sent", function()
    local id, line = open(), json.encode({ text = ("words and "):rep(3000) }) .. "\n"
    local body = upload(bot, id)
    for _ = 1, 60 do
      if not body:write(line) then
        break
      end
    end
    local answer = body:response()
    assert.equal(422, answer.status)
    assert.equal("limit_message_bytes", answer.json.code)
    assert.equal(1048576, answer.json.limit.value)
    assert.is_true(#message_of(id).text <= 1048576)
  end)

  it("refuses bytes that come in pieces", function()
    local body = upload(bot, open())
    for _ = 1, 300 do
      body:line({ text = "AAAA" })
    end
    local answer = body:response()
    assert.equal(422, answer.status)
    assert.equal("bytes_refused", answer.json.code)
  end)

  -- ---- leases ----

  it("ends a message whose producer has fallen silent", function()
    local id = open()
    local stream = follow({ cursor = "now" })
    stream:expect("resume")
    post(bot, id, { offset = 0, text = "then nothing" })
    stream:expect("chat_token")
    local frame = stream:expect("chat_token")
    assert.same({ { message_id = id, ["end"] = "aborted" } }, frame.json.data.parts)
    assert.same({ id = "gateway", kind = "service" }, frame.json.actor)
    assert.equal("aborted", post(bot, id, { offset = 12, text = "!" }).json["end"])
    assert.is_true(gateway:metric("atoms_chat_aborted_total") >= 1)
    stream:close()
  end)

  it("keeps a message open by signs of life, in both forms", function()
    local short, chunked = open(), open()
    local body, stop = upload(bot, chunked), clock.deadline(4)
    while clock.left(stop) > 0 do
      assert.equal(200, post(bot, short, {}).status)
      body:write("\n")
    end
    body:line({ text = "at last", ["end"] = "done" })
    assert.equal(200, body:finish().status)
    assert.equal(json.null, message_of(short)["end"])
  end)

  -- ---- restarts ----

  it("loses nothing that it acknowledged when it is killed in the middle, and goes on", function()
    local id, offset, sent = open(), 0, 0
    local words = {}
    for i = 1, 60 do
      words[i] = ("wört%d "):format(i)
    end
    local stream = follow({ cursor = "earliest" })
    local run = fold.new()
    local function read_until(text)
      while not (run.chat.messages[id] and run.chat.messages[id].text == text) do
        local frame = stream:next()
        run:feed(frame.json, frame.id)
      end
    end
    for round = 1, 3 do
      for _ = 1, 10 do
        sent = sent + 1
        assert.equal(200, post(bot, id, { offset = offset, text = words[sent] }).status)
        offset = offset + utf8.len(words[sent])
      end
      read_until(table.concat(words, "", 1, sent))
      local cursor = stream.last_id
      -- A post whose answer nobody waits for, then the end of the process.
      local connection = gateway:connect()
      local body = json.encode(ids({ offset = offset, text = words[sent + 1] }))
      connection:request({ method = "POST", path = "/v1/chat/" .. id .. "/tokens", body = body,
        headers = { Authorization = "Bearer " .. bot, ["Content-Type"] = "application/json" } })
      gateway:kill()
      gateway:restart()
      stream = follow({ last_event_id = cursor })
      assert.equal("exact", stream:expect("resume").json.data.status, round)
      sent = sent + 1
      local again = post(bot, id, { offset = offset, text = words[sent] })
      assert.equal(200, again.status)
      offset = again.json.next_offset
    end
    assert.equal(200, post(bot, id, { offset = offset, ["end"] = "done" }).status)
    local text = table.concat(words, "", 1, sent)
    read_until(text)
    assert.equal(text, message_of(id).text)
    assert.equal("done", message_of(id)["end"])
    stream:close()
  end)

  it("ends a message that a killed process left open, once its lease is over", function()
    local id = open()
    post(bot, id, { offset = 0, text = "left" })
    gateway:kill()
    gateway:restart()
    local stream = follow()
    stream:find("the end", function(frame)
      return frame.event == "chat_token" and frame.json.data.parts[1]["end"] == "aborted"
    end)
    stream:close()
    assert.equal("aborted", message_of(id)["end"])
  end)

  it("lets a producer go on after a restart within its lease", function()
    local id = open()
    post(bot, id, { offset = 0, text = "one " })
    gateway:kill()
    gateway:restart()
    assert.equal(200, post(bot, id, { offset = 4, text = "two", ["end"] = "done" }).status)
    assert.equal("one two", message_of(id).text)
  end)

  it("answers an open upload when it is told to end", function()
    local id = open()
    local body = upload(bot, id)
    body:line({ text = "x" })
    clock.until_true("the first token", function() return message_of(id).text == "x" end)
    gateway:signal("TERM")
    local answer = body:response()
    assert.equal(503, answer.status)
    assert.equal("draining", answer.json.code)
    assert.equal(0, gateway:wait())
    gateway:restart()
  end)
end)
