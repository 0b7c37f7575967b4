-- What policies say of streamed text: validators are asked about every part, whichever way it comes.

local support = require("support")
local policies = require("support.policies")
local uploads = require("support.uploads")
local command, json = support.command, support.json

--- Refuses what holds a word, and tells what it was asked about.
local VALIDATOR = [[
return { name = "v", version = 1, api = 1, commands = { "chat.append" }, validate = function(command, view)
  local args = command.args
  if args.text and args.text:find("forbidden", 1, true) then
    local by = ("of %s, a %s, type %s"):format(command.actor.id, command.actor.role, command.type)
    return nil, { code = "bad_word", message = ("%s, to %s at %s"):format(by, args.message_id, args.offset), path = "/text" }
  end
  return true
end }
]]

describe("policies on streamed text", function()
  local gateway, folder, bot, make

  local function start(files, options)
    folder = policies.folder(files)
    options = options or {}
    options.env = { ATOMS_POLICIES_DIR = folder.path }
    gateway = support.start(options)
    bot = gateway:bearer({ actor = "bot", kind = "agent", role = "director" })
    make = command.maker()
    make.ids.canvas_id = nil
  end

  after_each(support.stop_all)

  local function ids(more)
    more = more or {}
    more.run_id = more.run_id or make.run_id
    return gateway:ids(more)
  end

  local function open(id)
    gateway:send(bot, make("chat_send", { message_id = id, stream = true }))
    return id
  end

  local function post(id, values)
    return gateway:post("/v1/chat/" .. id .. "/tokens", bot, ids(values))
  end

  local function message(id)
    return gateway:state(bot, { run_id = make.run_id }).chat.messages[id]
  end

  local function upload(id)
    return uploads.open(gateway, bot, id, ids())
  end

  it("refuse a part to who posted it, and nothing of it is stored", function()
    start({ ["commands/words.lua"] = VALIDATOR })
    local id = open("m1")
    assert.equal(200, post(id, { offset = 0, text = "good " }).status)
    local answer = post(id, { offset = 5, text = "and forbidden", ["end"] = "done" })
    assert.same({ 422, "policy_refused", "bad_word", "/text" },
      { answer.status, answer.json.code, answer.json.reason, answer.json.path })
    assert.equal("of bot, a director, type chat.append, to m1 at 5", answer.json.detail)
    assert.same({ "good ", json.null }, { message(id).text, message(id)["end"] })
    assert.equal(13, post(id, { offset = 5, text = "and fine", ["end"] = "done" }).json.next_offset)
    assert.same({ "good and fine", "done" }, { message(id).text, message(id)["end"] })
  end)

  it("refuse it as the command and as a line of a body, too", function()
    start({ ["commands/words.lua"] = VALIDATOR })
    local id = open("m1")
    local answer = gateway:post("/v1/commands", bot, make("chat.append", { message_id = id, offset = 0, text = "forbidden" }))
    assert.same({ 422, "policy_refused", "bad_word", "/args/text" },
      { answer.status, answer.json.code, answer.json.reason, answer.json.path })
    local body = upload(id)
    body:line({ text = "forbidden" })
    answer = body:response()
    assert.same({ 422, "policy_refused", "bad_word", "/text" },
      { answer.status, answer.json.code, answer.json.reason, answer.json.path })
    assert.equal("of bot, a director, type chat.append, to m1 at 0", answer.json.detail)
    assert.equal("", message(id).text)
  end)

  it("keep what others post at the same time", function()
    start({ ["commands/words.lua"] = VALIDATOR })
    local bodies = {}
    for i = 1, 8 do
      bodies[i] = upload(open("m" .. i))
    end
    for i, body in ipairs(bodies) do
      body:line({ text = i % 2 == 0 and "forbidden" or "fine", ["end"] = "done" })
    end
    for i, body in ipairs(bodies) do
      assert.equal(i % 2 == 0 and 422 or 200, body:finish().status)
      assert.equal(i % 2 == 0 and "" or "fine", message("m" .. i).text)
    end
  end)

  it("are not asked about what stands there already, nor about a sign of life", function()
    start({ ["commands/pace.lua"] =
      'return { name = "p", version = 1, api = 1, commands = { "chat.append" }, rate = { per_s = 0.001, burst = 2 } }' })
    local id = open("m1")
    assert.equal(200, post(id, { offset = 0, text = "one" }).status)
    for _ = 1, 3 do
      assert.equal(3, post(id, { offset = 0, text = "one" }).json.next_offset)
      assert.equal(200, post(id, {}).status)
    end
    assert.equal(200, post(id, { offset = 3, text = " two" }).status)
    local answer = post(id, { offset = 7, text = " three" })
    assert.same({ 429, "rate_limited", "later" }, { answer.status, answer.json.code, answer.json.retry })
    assert.equal("one two", message(id).text)
  end)

  it("deny a part when they fail, of their tenant alone", function()
    start({ ["tenants/acme/commands/bad.lua"] =
      'return { name = "b", version = 1, api = 1, commands = { "chat.append" }, validate = function() return 5 end }' })
    local answer = post(open("m1"), { offset = 0, text = "one" })
    assert.same({ 403, "policy_failed" }, { answer.status, answer.json.code })
    assert.equal("", message("m1").text)
    local other = command.maker({ tenant_id = "other" })
    local bearer = gateway:bearer({ tenant = "other", actor = "bot", kind = "agent" })
    gateway:send(bearer, other("chat_send", { message_id = "m1", stream = true }))
    local body = gateway:ids({ tenant_id = "other", run_id = other.run_id, offset = 0, text = "one" })
    assert.equal(200, gateway:post("/v1/chat/m1/tokens", bearer, body).status)
  end)

  local NO_CHAT = policies.lens('return actor.kind == "agent" and lens.extend(lens.everything(), { chat = { write = false } })'
    .. " or lens.everything()")
  local NO_AGENT = policies.lens('return actor.kind ~= "agent" and lens.everything() or nil')

  for what, lens in pairs({ ["may write no chat"] = NO_CHAT, ["is admitted to nothing"] = NO_AGENT }) do
    it("that change count from the next line of a body on: who now " .. what, function()
      start({ ["token_lens.lua"] = policies.lens("return lens.everything()") })
      local ann = gateway:bearer()
      local stream = gateway:stream({ bearer = ann, run_id = make.run_id })
      local body = upload(open("m1"))
      body:line({ text = "before" })
      stream:find("what came before the change", function(frame)
        return frame.event == "chat_token"
      end)
      folder:write("token_lens.lua", lens)
      assert.equal(200, gateway:admin("/admin/policies/reload", nil, "POST").status)
      body:line({ text = ", after" })
      local answer = body:response()
      assert.same({ 403, "not_allowed" }, { answer.status, answer.json.code })
      assert.equal("before", gateway:state(ann, { run_id = make.run_id }).chat.messages.m1.text)
    end)
  end

  it("that change end a body that says nothing", function()
    start({ ["token_lens.lua"] = policies.lens("return lens.everything()") })
    local body = upload(open("m1"))
    folder:write("token_lens.lua", NO_AGENT)
    assert.equal(200, gateway:admin("/admin/policies/reload", nil, "POST").status)
    assert.equal(403, body:response().status)
  end)

  it("are not called where none is about it", function()
    start({ ["commands/chat.lua"] = VALIDATOR:gsub("chat%.append", "chat_send") })
    local id = open("m1")
    local calls = gateway:metric('atoms_script_calls_total{hook="validate"}')
    assert.equal(200, post(id, { offset = 0, text = "forbidden" }).status)
    assert.equal(calls, gateway:metric('atoms_script_calls_total{hook="validate"}'))
  end)
end)
