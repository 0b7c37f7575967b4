--- Prints spec/vectors/transform_random.json: pairs of operations on short texts, some split by earlier edits, and what becomes of them.
--- From the root of the tree:  lua5.4 spec/vectors/make_transform.lua > spec/vectors/transform_random.json
---
--- The answers are those of lua/atoms/text_op.lua; the core has to come to the same ones by its own code.

package.path = "lua/?.lua;spec/?.lua;spec/?/init.lua;" .. package.path
local json = require("support.json")
local text_op = require("atoms.text_op")

local COUNT = 400
local LETTERS = { "a", "b", "c", "d", "e", "f", "é", "日", "😀" }

math.randomseed(20240501, 3)

local function random_text(longest)
  local out = {}
  for i = 1, math.random(0, longest) do
    out[i] = LETTERS[math.random(#LETTERS)]
  end
  return table.concat(out)
end

local function random_splice(text)
  local length = utf8.len(text)
  local at = math.random(0, length)
  local del = math.random(3) > 1 and math.random(0, math.min(6, length - at)) or 0
  return text_op.splice(at, del, math.random(3) > 1 and random_text(3) or "")
end

--- Two operations on one text, each written on an older text and carried over the edits since.
local function random_pair()
  local text = random_text(12)
  local a, b = random_splice(text), random_splice(text)
  for _ = 1, math.random(0, 3) do
    local other = random_splice(text)
    text = assert(text_op.apply(text, other))
    a, b = text_op.transform(a, other, true), text_op.transform(b, other, true)
  end
  return text, a, b
end

local function plain(op)
  local spans = json.array()
  for i, span in ipairs(op.spans) do
    spans[i] = { span.start, span.length }
  end
  return { at = op.at, ins = op.ins, spans = spans }
end

local function splices(op)
  local list = json.array()
  for i, splice in ipairs(text_op.splices(op)) do
    list[i] = { splice.at, splice.del, splice.ins }
  end
  return list
end

local lines = {}
for i = 1, COUNT do
  local text, a, b = random_pair()
  local is_later = math.random(2) == 1
  local becomes = text_op.transform(a, b, is_later)
  lines[i] = "    " .. json.encode({ text = text, a = plain(a), b = plain(b), a_is_later = is_later, becomes = plain(becomes),
    splices = splices(becomes), gives = assert(text_op.apply(assert(text_op.apply(text, b)), becomes)) })
end
print('{\n  "about": "As transform.json; made by make_transform.lua.",\n  "cases": [\n' .. table.concat(lines, ",\n") .. "\n  ]\n}")
