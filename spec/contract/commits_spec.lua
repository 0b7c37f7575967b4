-- Revisions: by command and by the gateway itself, the hash that they carry, and who gets it.

local support = require("support")
local canonical = require("atoms.canonical")
local fold = require("atoms.fold")
local state_hash = require("atoms.state_hash")
local command, json = support.command, support.json

describe("revisions", function()
  local gateway, ann, make

  local function start(limits)
    gateway = support.start({ config = "return { limits = { " .. limits .. " } }" })
    ann = gateway:bearer({ actor = "ann" })
    make = command.maker()
    gateway:send(ann, make:mount())
  end

  after_each(support.stop_all)

  local function commits()
    local list = {}
    for _, entry in ipairs(gateway:events(ann, { run_id = make.run_id, after = "earliest", limit = 1000 }).events) do
      if entry.event.type == "canvas_commit" then
        list[#list + 1] = entry.event
      end
    end
    return list
  end

  local function hash_now()
    fold.null, canonical.null, canonical.is_array = json.null, json.null, json.is_array
    return state_hash.of(fold.of(gateway:state(ann, { run_id = make.run_id })), "c1")
  end

  it("carry a hash that a reader computes from what it folded", function()
    start("commit_idle_ms = 0")
    gateway:send_all(ann, command.history(make, 60))
    gateway:send_all(ann, {
      make:insert("x", { kind = "heading", props = { level = 2 }, text = "grüße 😀 \"quoted\" \\", vis = "staff" }),
      make:insert("y", { parent = "x" }), make:insert("z", { parent = "x", after = "y" }),
      make("block.move", { id = "z", parent = "x" }), make("canvas.commit", { message = "now" }),
    })
    local list = commits()
    assert.equal(hash_now(), list[#list].data.state_hash)
    gateway:send_all(ann, { make("block.remove", { id = "y" }), make:tokens({ ["ui.zoom"] = 1.5 }), make("canvas.commit", {}) })
    list = commits()
    assert.equal(hash_now(), list[#list].data.state_hash)
  end)

  it("agree after kill -9, when the digest is made anew", function()
    start("commit_idle_ms = 0")
    gateway:send_all(ann, command.history(make, 200))
    gateway:kill()
    gateway:restart()
    gateway:send(ann, make("canvas.commit", {}))
    local list = commits()
    assert.equal(hash_now(), list[#list].data.state_hash)
  end)

  it("give no hash to a lens that does not see all", function()
    start("commit_idle_ms = 0")
    gateway:send_all(ann, { make:insert("a"), make("canvas.commit", {}) })
    local narrow = gateway:bearer({ actor = "nat", tokens = { "ui.*" } })
    local stream = gateway:stream({ bearer = narrow, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    gateway:send(ann, make("canvas.commit", {}))
    local data = stream:expect("canvas_commit").json.data
    assert.same({ 2, nil }, { data.rev, data.state_hash })
    stream:close()
  end)

  it("are made by the gateway when a canvas has grown by so many events", function()
    start("commit_events = 10, commit_idle_ms = 0")
    for i = 1, 35 do
      gateway:send(ann, make:insert("b" .. i))
    end
    local made = commits()
    assert.equal(3, #made)
    for rev, event in ipairs(made) do
      assert.same({ rev, "gateway", "service" }, { event.data.rev, event.actor.id, event.actor.kind })
      assert.is_nil(event.cause)
    end
  end)

  it("are made by the gateway when a run falls silent, once", function()
    start("commit_idle_ms = 300")
    gateway:send(ann, make:insert("a"))
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    local event = stream:expect("canvas_commit").json
    assert.same({ 1, "gateway" }, { event.data.rev, event.actor.id })
    assert.equal(hash_now(), event.data.state_hash)
    gateway:send_all(ann, { make:tokens({ ["plan.days"] = 4 }), make:insert("b") })
    stream:expect("token_patch")
    stream:expect("state_patch")
    assert.equal(2, stream:expect("canvas_commit").json.data.rev)
    stream:close()
  end)
end)
