-- The state hash of a client's own fold, held against spec/vectors/state_hash.json and published answers of its parts.

local canonical = require("atoms.canonical")
local fold = require("atoms.fold")
local json = require("support.json")
local sha256 = require("atoms.sha256")
local shell = require("support.shell")
local state_hash = require("atoms.state_hash")

local function hex(bytes)
  return (bytes:gsub(".", function(char)
    return ("%02x"):format(char:byte())
  end))
end

local function run_of(case)
  fold.null, canonical.null, canonical.is_array = json.null, json.null, json.is_array
  return fold.of({ tokens = case.tokens, canvases = { c1 = { type = "any", blocks = case.blocks } } })
end

describe("the state hash", function()
  for _, case in ipairs(json.must(shell.read("spec/vectors/state_hash.json")).cases) do
    it("of " .. case.name, function()
      local run = run_of(case)
      local blocks = run.canvases.c1.blocks
      for id, leaf in pairs(case.leaves) do
        local siblings, after = run:children("c1", blocks[id].parent), nil
        for i, sibling in ipairs(siblings) do
          after = sibling == id and siblings[i - 1] or after
        end
        assert.equal(leaf, hex(state_hash.leaf(id, blocks[id], after)))
      end
      assert.equal(case.blocks_digest, hex(state_hash.blocks(blocks)))
      assert.equal(case.state_hash, state_hash.of(run, "c1"))
    end)
  end
end)

describe("SHA-256", function()
  it("gives the answers of FIPS 180-4 at every length of padding", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", sha256.hex(""))
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sha256.hex("abc"))
    assert.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", sha256.hex(("a"):rep(1000000)))
    for length = 50, 70 do
      local text = ("x"):rep(length)
      assert.equal(shell.must({ "openssl", "dgst", "-sha256", "-r" }, text):match("^%x+"), sha256.hex(text))
    end
  end)
end)

describe("canonical JSON", function()
  it("writes numbers as ECMAScript does", function()
    local cases = { [-0.0] = "0", [1.0] = "1", [0.1] = "0.1", [-1.5] = "-1.5", [1e21] = "1e+21", [123456789012345680000.0] =
      "123456789012345680000", [1e-6] = "0.000001", [1e-7] = "1e-7", [1.25e-9] = "1.25e-9", [5e-324] = "5e-324",
      [1.7976931348623157e308] = "1.7976931348623157e+308", [9007199254740991] = "9007199254740991", [0.1 + 0.2] = "0.30000000000000004",
      [4.35] = "4.35" }
    for value, text in pairs(cases) do
      assert.equal(text, canonical.encode(value))
    end
  end)

  it("sorts keys by their UTF-8 bytes and escapes what must be", function()
    assert.equal('{"":1,"a\\"\\\\\\n\\u0001":2,"é":3,"\u{FE4F}":4,"😀":5}',
      canonical.encode({ ["é"] = 3, ["😀"] = 5, ["\u{FE4F}"] = 4, [""] = 1, ["a\"\\\n\1"] = 2 }))
  end)
end)
