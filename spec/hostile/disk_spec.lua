-- A disk that is full: commands are refused and say why, reads and streams go on, nothing acknowledged is lost and nothing refused comes
-- back, and when there is room again all goes on by itself. Needs root for a small file system of its own.

local support = require("support")
local typist = require("hostile.typist")
local clock, command, shell = support.clock, support.command, support.shell

local SIZE_MIB, TEXT_BYTES, BATCH = 48, 8000, 16

describe("a full disk", function()
  local folder, gateway, ann, make, sent

  local function is_mounted(path)
    return (shell.read("/proc/mounts") or ""):find(" " .. path .. " ", 1, true) ~= nil
  end

  before_each(function()
    folder = shell.must({ "mktemp", "-d", "/tmp/atoms-disk.XXXXXX" }):gsub("%s", "")
    shell.must({ "mkdir", folder .. "/data" })
    local options = ("size=%dm,mode=0700"):format(SIZE_MIB)
    if shell.run({ "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder .. "/data" }).code ~= 0 then
      pending("mounting a file system needs root")
    end
    gateway = support.start({ folder = folder, config = "return { limits = { heartbeat_ms = 100 } }" })
    ann = gateway:bearer({})
    make = command.maker()
    sent = {}
    gateway:send(ann, make:mount())
  end)

  after_each(function()
    local ok, message = pcall(support.stop_all)
    if is_mounted(folder .. "/data") then
      shell.must({ "umount", folder .. "/data" })
    end
    shell.must({ "rm", "-r", folder })
    assert(ok, message)
  end)

  local function fill()
    os.execute(("head -c %d /dev/zero >%s/data/filler 2>/dev/null"):format(2 * SIZE_MIB << 20, folder))
  end

  local function make_room()
    assert(os.remove(folder .. "/data/filler"))
  end

  local prose = ("The quick brown fox jumps over the lazy dog. "):rep(TEXT_BYTES // 45)

  --- One large command; remembered with its answer when it is acknowledged.
  local function write()
    local id = command.id("b")
    local entry = { body = support.json.encode(make:insert(id, { text = prose })), id = id }
    local answer = gateway:post("/v1/commands", ann, entry.body)
    entry.answer = answer.status == 200 and answer.body or nil
    sent[#sent + 1] = entry
    return answer
  end

  local function write_until(status)
    return clock.until_true("an answer " .. status, function()
      for _ = 1, BATCH do
        local answer = write()
        if answer.status == status then
          return answer
        end
      end
    end, 60)
  end

  local function acknowledged()
    local list = {}
    for _, entry in ipairs(sent) do
      list[#list + 1] = entry.answer and entry or nil
    end
    return list
  end

  local function assert_all_there()
    local blocks = gateway:state(ann, { run_id = make.run_id }).canvases.c1.blocks
    local list, count = acknowledged(), 0
    for _, entry in ipairs(list) do
      assert.is_not_nil(blocks[entry.id])
    end
    for _ in pairs(blocks) do
      count = count + 1
    end
    assert.equal(#list, count)
    for i, answer in ipairs(typist.repeat_all(gateway, ann, list)) do
      assert.equal(list[i].answer, answer)
    end
  end

  it("refuses commands, keeps streams and reads, and recovers", function()
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id })
    stream:expect("resume")
    fill()
    local refusal = write_until(503)
    assert.equal("spine_unavailable", refusal.json.code)
    assert.equal("later", refusal.json.retry)
    assert.equal("1", refusal.headers["retry-after"])
    assert.is_true(#acknowledged() > 0)

    stream:find("the last acknowledged event", function(frame)
      return frame.id == support.json.must(acknowledged()[#acknowledged()].answer).cursor
    end)
    stream:block() -- beats on
    assert_all_there()
    assert.equal(503, write().status)

    make_room()
    write_until(200)
    stream:find("the first event after the recovery", function(frame)
      return frame.id == support.json.must(acknowledged()[#acknowledged()].answer).cursor
    end)
    assert_all_there()
    gateway:restart()
    assert_all_there()
  end)

  it("survives kill -9, and has what it acknowledged once there is room to start", function()
    fill()
    write_until(503)
    gateway:kill()
    local ok, message = pcall(gateway.restart, gateway)
    if ok then
      assert_all_there()
    else
      assert.matches("ended with 1: atoms: [^\n]*spine%.db: the disk is full: [^\n]*Free %d+ MiB [^\n]*%(spine_full%)", message)
    end
    make_room()
    gateway:restart()
    assert_all_there()
    write_until(200)
    assert_all_there()
  end)

  it("is survived by an orderly end", function()
    fill()
    write_until(503)
    assert.equal(0, gateway:stop())
    make_room()
    gateway:restart()
    assert_all_there()
  end)
end)
