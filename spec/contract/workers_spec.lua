-- Several workers behind one address.

local support = require("support")

describe("a gateway of several workers on a port that the kernel chooses", function()
  teardown(support.stop_all)

  it("serves that port by all of them", function()
    local gateway = support.start({ env = { ATOMS_WORKERS = 3 } })
    local ann, make = gateway:bearer({}), support.command.maker()
    gateway:send(ann, make:mount())
    local seen, count = {}, 0
    for _ = 1, 60 do
      local stream = gateway:stream({ bearer = ann, run_id = make.run_id })
      local worker = stream:expect("resume").json.data.stream_id:match("^w(%d+)%.")
      count = count + (seen[worker] and 0 or 1)
      seen[worker] = true
    end
    assert.equal(3, count)
  end)
end)
