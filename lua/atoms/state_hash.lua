--- The state hash of a commit, from a client's own fold: docs/contract.md, with vectors in spec/vectors/state_hash.json. Only for a client
--- that sees everything: others get no hash to compare with.
---
---   state_hash.of(run, canvas_id) → 64 hexadecimal digits      run is a fold
---   state_hash.leaf(id, block, after) → 32 bytes               state_hash.blocks(blocks) → 32 bytes

local canonical = require("atoms.canonical")
local sha256 = require("atoms.sha256")

local state_hash = {}

--- @param id string
--- @param block table as the fold keeps it
--- @param after string? id of the left neighbour
--- @return string
function state_hash.leaf(id, block, after)
  local encode = canonical.encode
  local members = { '{"after":', encode(after), ',"id":', encode(id), ',"kind":', encode(block.kind), ',"parent":', encode(block.parent),
    ',"props":', canonical.object(block.props), ',"text":', encode(block.text) }
  if block.vis then
    members[#members + 1] = ',"vis":' .. encode(block.vis)
  end
  return sha256.sum("\0" .. table.concat(members) .. "}")
end

--- Ids in the order of parent, then place: each but the first of its parent has its left neighbour before it.
local function ordered(blocks)
  local ids = {}
  for id in pairs(blocks) do
    ids[#ids + 1] = id
  end
  table.sort(ids, function(a, b)
    local left, right = blocks[a], blocks[b]
    if left.parent ~= right.parent then
      return (left.parent or "") < (right.parent or "")
    end
    return left.pos < right.pos
  end)
  return ids
end

local function nibble(key, depth)
  local byte = key:byte(depth // 2 + 1)
  return depth % 2 == 0 and byte >> 4 or byte & 15
end

local NOTHING = ("\0"):rep(32)

--- The digest of a set of {key, leaf} at this depth.
local function digest(set, depth)
  if #set <= 1 then
    return set[1] and set[1].leaf or NOTHING
  end
  local parts, digests = {}, {}
  for _, item in ipairs(set) do
    local digit = nibble(item.key, depth)
    parts[digit] = parts[digit] or {}
    table.insert(parts[digit], item)
  end
  for digit = 0, 15 do
    digests[digit + 1] = digest(parts[digit] or {}, depth + 1)
  end
  return sha256.sum("\1" .. table.concat(digests))
end

--- @param blocks table<string, table>
--- @return string
function state_hash.blocks(blocks)
  local set, before = {}, nil
  for _, id in ipairs(ordered(blocks)) do
    local block = blocks[id]
    local after = before and blocks[before].parent == block.parent and before or nil
    set[#set + 1] = { key = sha256.sum(id), leaf = state_hash.leaf(id, block, after) }
    before = id
  end
  return digest(set, 0)
end

--- @param run atoms.Fold
--- @param canvas_id string
--- @return string
function state_hash.of(run, canvas_id)
  local tokens = sha256.sum(canonical.object(run.tokens))
  return sha256.hex("\2" .. state_hash.blocks(run.canvases[canvas_id].blocks) .. tokens)
end

return state_hash
