-- Deleting a run, and erasing what an actor wrote: what is gone, what stays, and what readers are told.

local api = require("support.api")
local fold = require("atoms.fold")
local state_hash = require("atoms.state_hash")
local support = require("support")
local command, http, json, view = support.command, support.http, support.json, support.view

describe("an operator", function()
  local gateway, ann, bob, make

  before_each(function()
    gateway = support.start({})
    ann, bob = gateway:bearer({ actor = "ann" }), gateway:bearer({ actor = "bob" })
    make = command.maker()
    gateway:send(ann, make:mount())
  end)

  after_each(support.stop_all)

  local function order(path, more, headers)
    local body = { tenant_id = "acme", mode = "dev", project_id = "p1", run_id = make.run_id }
    for name, value in pairs(more or {}) do
      body[name] = value ~= json.null and value or nil
    end
    local connection = http.connect({ host = "127.0.0.1", port = gateway.admin_port })
    headers = headers or { ["X-Atoms-Admin"] = "1" }
    headers["Content-Type"] = "application/json"
    local response = connection:call({ method = "POST", path = path, headers = headers, body = json.encode(json.object(body)) })
    connection:close()
    response.json = json.must(response.body)
    api.check_answer("POST", path, response)
    return response
  end

  local function state(params)
    params = params or {}
    params.run_id = make.run_id
    return gateway:state(ann, params)
  end

  local function chat(who, id, text)
    local args = { message_id = id, text = text }
    local body = gateway:ids({ run_id = make.run_id, command_id = command.id(), args = args })
    assert.equal(200, gateway:post("/v1/chat", who, body).status)
  end

  local function stream(cursor, canvas_id)
    return gateway:stream({ bearer = ann, run_id = make.run_id, cursor = cursor, canvas_id = canvas_id })
  end

  local function verdict(cursor)
    local opened = stream(cursor)
    local data = opened:expect("resume").json.data
    opened:close()
    return data
  end

  describe("who deletes a run", function()
    it("ends its streams and leaves nothing of it", function()
      gateway:send_all(ann, command.history(make, 300))
      local cursor = state().cursor
      local live, canvas = stream("now"), stream(nil, "c1")
      live:expect("resume")
      canvas:expect("resume")
      canvas:find("the checkpoint", function(frame) return frame.event == "CANVAS_READY" end)
      local answer = order("/admin/runs/delete")
      assert.same({ 200, "deleted" }, { answer.status, answer.json.status })
      for _, one in ipairs({ live, canvas }) do
        local data = one:find("the end", function(frame) return frame.event == "goaway" end).json.data
        assert.same({ "purged", "now" }, { data.reason, data.retry })
        assert.is_true(one:is_ended())
      end
      assert.same({}, state().canvases)
      assert.same({ "reset", "other_epoch" }, { verdict(cursor).status, verdict(cursor).reason })
      assert.equal("fresh", verdict().status)
      gateway:kill()
      gateway:restart()
      assert.same({}, state().canvases)
      assert.same({ "reset", "other_epoch" }, { verdict(cursor).status, verdict(cursor).reason })
    end)

    it("lets it begin anew, command ids and all, on streams that stay open meanwhile", function()
      local mount = make:mount()
      gateway:send(ann, mount)
      local cursor = state().cursor
      order("/admin/runs/delete")
      local opened = stream()
      assert.equal("fresh", opened:expect("resume").json.data.status)
      local again = gateway:send(ann, mount)
      assert.equal(1, again.events)
      assert.equal("c1", opened:expect("CANVAS_READY").json.canvas_id)
      gateway:send(ann, make:insert("b1", { text = "new life" }))
      assert.equal("insert", opened:expect("state_patch").json.data.ops[1].op)
      assert.same({ "reset", "other_epoch" }, { verdict(cursor).status, verdict(cursor).reason })
      opened:close()
    end)

    it("may delete one that never was, and leaves others alone", function()
      local run_id = make.run_id
      assert.equal(200, order("/admin/runs/delete", { run_id = command.run() }).status)
      assert.equal(200, order("/admin/actors/erase", { run_id = command.run(), actor_id = "bob" }).status)
      assert.equal("planning", gateway:state(ann, { run_id = run_id }).canvases.c1.type)
    end)
  end)

  describe("who erases an actor", function()
    before_each(function()
      gateway:send_all(ann, {
        make:insert("a", { kind = "task", text = "written by ann", props = { due = "ann's due" } }),
        make:insert("b", { text = "ann, ", after = "a" }),
        make:tokens({ ["plan.title"] = "a title by ann" }),
      })
      gateway:send_all(bob, {
        make:splice("b", 5, 0, "bob's secret", { base = state().cursor }),
        make:insert("c", { kind = "task", text = "bob alone", after = "b", props = { due = "bob's due" } }),
        make:insert("below", { text = "under bob, by ann later", parent = "c" }),
        make:update("a", { due = "bob's word" }),
        make:tokens({ ["plan.title"] = "bob's title", ["plan.days"] = 9 }),
        make("canvas.commit", { message = "bob says" }),
      })
      gateway:send(ann, make:splice("c", 9, 0, " and ann", { base = state().cursor }))
      chat(bob, "m1", "bob's chat")
      chat(ann, "m2", "ann's chat")
    end)

    local function assert_erased()
      assert.same({ "", "ann's chat" }, { state().chat.messages.m1.text, state().chat.messages.m2.text })
      local now = state()
      local blocks = now.canvases.c1.blocks
      assert.equal("written by ann", blocks.a.text)
      assert.is_nil(blocks.a.props.due)
      assert.equal("ann, ", blocks.b.text)
      assert.same({ " and ann", "", "c" }, { blocks.c.text, blocks.below.text, blocks.below.parent })
      assert.is_nil(blocks.c.props.due)
      assert.same({ "", 7 }, { now.tokens["plan.title"], now.tokens["plan.days"] })
      assert.is_nil(json.encode(now):find("bob's", 1, true))
    end

    it("takes the actor's words from the state, and the past with them", function()
      local before = state().cursor
      local live = stream("now")
      live:expect("resume")
      local answer = order("/admin/actors/erase", { actor_id = "bob" })
      assert.same({ 200, "erased" }, { answer.status, answer.json.status })
      assert.is_true(answer.json.changed >= 4)
      assert.equal("purged", live:find("the end", function(frame) return frame.event == "goaway" end).json.data.reason)
      assert_erased()
      assert.same({ "reset", "purged" }, { verdict(before).status, verdict(before).reason })
      assert.same({ "reset", "purged" }, { verdict("earliest").status, verdict("earliest").reason })
      local past = gateway:get("/v1/state", ann, gateway:ids({ run_id = make.run_id, at = before }))
      assert.same({ 404, "purged" }, { past.status, past.json.code })
      assert.same({}, gateway:get("/v1/history", ann, gateway:ids({ run_id = make.run_id, canvas_id = "c1" })).json.commits)
      assert.same({}, gateway:events(ann, { run_id = make.run_id, after = "earliest" }).events)
    end)

    it("finds it so in every file, and after kill -9", function()
      order("/admin/actors/erase", { actor_id = "bob" })
      local bytes = gateway:files()
      assert.is_truthy(bytes:find("written by ann", 1, true))
      for _, word in ipairs({ "bob's secret", "bob alone", "bob's due", "bob's title", "bob says", "bob's chat" }) do
        assert.is_nil(bytes:find(word, 1, true), word)
      end
      gateway:kill()
      gateway:restart()
      assert_erased()
    end)

    it("leaves a state whose hash a reader computes from what it folds", function()
      local opened, shown = stream(nil, "c1"), view.new()
      order("/admin/actors/erase", { actor_id = "bob" })
      opened:find("the end", function(frame) return frame.event == "goaway" end)
      opened = stream(opened.last_id, "c1")
      assert.equal("purged", shown:feed(opened:expect("resume")).json.data.reason)
      gateway:send_all(ann, { make:update("b", { style = "quote" }), make("canvas.commit", { message = "since" }) })
      local commit
      repeat
        commit = shown:feed(opened:next())
      until commit.event == "canvas_commit"
      assert.equal(state_hash.of(shown:run(), "c1"), commit.json.data.state_hash)
      assert.equal(state_hash.of(fold.of(state()), "c1"), commit.json.data.state_hash)
      assert.equal(2, commit.json.data.rev)
      opened:close()
    end)

    it("finds words that an undo or a restore brought back", function()
      local removal = make("block.remove", { id = "b" })
      gateway:send(ann, removal)
      gateway:send(ann, make("undo", { of = removal.command_id }))
      assert.equal("ann, bob's secret", state().canvases.c1.blocks.b.text)
      gateway:send(ann, make:update("a", { due = "ann again" }))
      gateway:send(ann, make:splice("b", 0, 17, "", { base = state().cursor }))
      gateway:send(ann, make("canvas.restore", { rev = 1 }))
      assert.same({ "ann, bob's secret", "bob's word" }, { state().canvases.c1.blocks.b.text, state().canvases.c1.blocks.a.props.due })
      order("/admin/actors/erase", { actor_id = "bob" })
      assert.is_nil(json.encode(state()):find("bob's", 1, true))
      assert.equal("written by ann", state().canvases.c1.blocks.a.text)
    end)

    it("may erase one after the other, and each finds what is its own", function()
      local carl = gateway:bearer({ actor = "carl" })
      gateway:send(carl, make:splice("a", 0, 0, "carl: ", { base = state().cursor }))
      assert.equal(1, order("/admin/actors/erase", { actor_id = "carl" }).json.changed)
      assert.equal("ann, bob's secret", state().canvases.c1.blocks.b.text)
      gateway:kill()
      gateway:restart()
      gateway:send(bob, make:splice("b", 17, 0, ", bob's more", { base = state().cursor }))
      assert.is_true(order("/admin/actors/erase", { actor_id = "bob" }).json.changed >= 7)
      assert_erased()
      assert.equal(0, order("/admin/actors/erase", { actor_id = "bob" }).json.changed)
      order("/admin/actors/erase", { actor_id = "ann" })
      local blocks = state().canvases.c1.blocks
      assert.same({ "", "", "", "" }, { blocks.a.text, blocks.b.text, blocks.c.text, state().chat.messages.m2.text })
      assert.is_nil(gateway:files():find("written by ann", 1, true))
    end)

    it("ends a message that is being written, and takes no more of it", function()
      local args = { message_id = "open", stream = true, text = "bob's begin" }
      assert.equal(200, gateway:post("/v1/chat", bob, gateway:ids({ run_id = make.run_id, command_id = command.id(), args = args })).status)
      order("/admin/actors/erase", { actor_id = "bob" })
      local message = state().chat.messages.open
      assert.same({ "", "aborted" }, { message.text, message["end"] })
      local more = gateway:post("/v1/chat/open/tokens", bob, gateway:ids({ run_id = make.run_id, offset = 11, text = "and on" }))
      assert.same({ 409, "chat_ended" }, { more.status, more.json.code })
    end)

    it("lets the run go on, and old command ids stay taken", function()
      local made = make:insert("kept", { text = "x" })
      gateway:send(ann, made)
      local before = state().cursor
      order("/admin/actors/erase", { actor_id = "bob" })
      local repeated = gateway:post("/v1/commands", ann, made)
      assert.same({ 404, "answer_purged" }, { repeated.status, repeated.json.code })
      local opened = stream()
      assert.equal("fresh", opened:expect("resume").json.data.status)
      local cursor = state().cursor
      gateway:send(bob, make:insert("again", { text = "bob is back" }))
      opened:find("the new block", function(frame) return frame.event == "state_patch" end)
      assert.equal("exact", verdict(cursor).status)
      gateway:send(ann, make:splice("b", 17, 0, " (seen before)", { base = before }))
      gateway:send(ann, make:splice("b", 0, 0, "> ", { base = before }))
      assert.equal("> ann,  (seen before)", state().canvases.c1.blocks.b.text)
      assert.equal("bob is back", state().canvases.c1.blocks.again.text)
      opened:close()
    end)

  end)

  it("must be one, and name a run", function()
    local open = gateway:post("/admin/runs/delete", ann, {})
    assert.equal(404, open.status)
    assert.equal(403, order("/admin/runs/delete", {}, { Host = "evil.example" }).status)
    assert.same("missing_id", order("/admin/runs/delete", { run_id = json.null }).json.code)
    assert.same("unknown_member", order("/admin/runs/delete", { actor_id = "ann" }).json.code)
    assert.same("missing_id", order("/admin/actors/erase", {}).json.code)
    assert.same("bad_id", order("/admin/actors/erase", { actor_id = "b b" }).json.code)
    local other = order("/admin/runs/delete", { mode = "prod" })
    assert.same({ 403, "mode_not_served", "mode" }, { other.status, other.json.code, other.json.path })
  end)
end)
