--- Edits of one text, and what becomes of one when another came first: the client's half of the rules in docs/contract.md, with vectors in
--- spec/vectors/transform.json.
---
--- An operation is one splice as its author meant it: `ins` goes in at `at`, and spans are removed, all in the coordinates (code points,
--- from 0) of the text before it. One splice starts with one span; inserts of others split it. Operations are values: no function
--- changes one.

local text_op = {}

--- @class atoms.TextSpan
--- @field start integer
--- @field length integer

--- @class atoms.TextSplice
--- @field at integer
--- @field del integer
--- @field ins string

--- @class atoms.TextOp
--- @field at integer without `ins`: where the first span starts; 0 when there is none
--- @field ins string
--- @field spans atoms.TextSpan[] ascending, not empty, neither touching nor overlapping, none before `at`

local function normal(at, ins, spans)
  if ins == "" then
    at = spans[1] and spans[1].start or 0
  end
  return { at = at, ins = ins, spans = spans }
end

--- @param at integer
--- @param del integer
--- @param ins string
--- @return atoms.TextOp
function text_op.splice(at, del, ins)
  return normal(at, ins, del > 0 and { { start = at, length = del } } or {})
end

--- @param op atoms.TextOp
--- @return boolean that it neither inserts nor removes
function text_op.is_empty(op)
  return op.ins == "" and #op.spans == 0
end

--- @param a atoms.TextOp
--- @param b atoms.TextOp
--- @return boolean
function text_op.equals(a, b)
  local is_equal = a.at == b.at and a.ins == b.ins and #a.spans == #b.spans
  for i, span in ipairs(a.spans) do
    local other = b.spans[i]
    is_equal = is_equal and span.start == other.start and span.length == other.length
  end
  return is_equal
end

--- How much of the old text before a point the spans take away.
local function removed_before(op, point)
  local removed = 0
  for _, span in ipairs(op.spans) do
    if span.start >= point then
      break
    end
    removed = removed + math.min(span.length, point - span.start)
  end
  return removed
end

--- The place of an insert of `a` after `b`: of two inserts at one place the later-ordered stands first.
local function move_insert(a, b, a_is_later)
  local moved = a.at - removed_before(b, a.at)
  if b.ins ~= "" and (b.at < a.at or (b.at == a.at and not a_is_later)) then
    moved = moved + utf8.len(b.ins)
  end
  return moved
end

--- What `b` leaves of the span [from, to) of `a`, in the old coordinates: pieces between the spans of `b`.
local function pieces_left(from, to, b)
  local pieces = {}
  for _, span in ipairs(b.spans) do
    local stop = math.min(span.start, to)
    if stop > from then
      pieces[#pieces + 1] = { from, stop }
    end
    from = math.max(from, span.start + span.length)
    if from >= to then
      return pieces
    end
  end
  pieces[#pieces + 1] = { from, to }
  return pieces
end

local function add_span(spans, from, to)
  local last = spans[#spans]
  if to <= from then
    return
  elseif last and last.start + last.length == from then
    last.length = last.length + to - from
  else
    spans[#spans + 1] = { start = from, length = to - from }
  end
end

--- A piece in the coordinates after `b`: split round the insert of `b` when that falls inside.
local function move_piece(spans, piece, b)
  local from, to = piece[1], piece[2]
  local shift = -removed_before(b, from)
  local added = utf8.len(b.ins)
  if added == 0 or b.at >= to then
    add_span(spans, from + shift, to + shift)
  elseif b.at <= from then
    add_span(spans, from + shift + added, to + shift + added)
  else
    add_span(spans, from + shift, b.at + shift)
    add_span(spans, b.at + shift + added, to + shift + added)
  end
end

--- `a` over `b`, both written on the same text: an operation that does after `b` what `a` meant.
--- @param a atoms.TextOp
--- @param b atoms.TextOp
--- @param a_is_later boolean in the server's order
--- @return atoms.TextOp
function text_op.transform(a, b, a_is_later)
  local spans = {}
  for _, span in ipairs(a.spans) do
    for _, piece in ipairs(pieces_left(span.start, span.start + span.length, b)) do
      move_piece(spans, piece, b)
    end
  end
  return normal(move_insert(a, b, a_is_later), a.ins, spans)
end

--- The same as plain splices, each applied to the text as the one before left it; the insert is in the first.
--- @param op atoms.TextOp
--- @return atoms.TextSplice[]
function text_op.splices(op)
  local splices, gone, added = {}, 0, utf8.len(op.ins)
  local first = op.spans[1]
  local joined = first ~= nil and first.start == op.at
  if op.ins ~= "" or joined then
    splices[1] = { at = op.at, del = joined and first.length or 0, ins = op.ins }
    gone = splices[1].del
  end
  for i = joined and 2 or 1, #op.spans do
    local span = op.spans[i]
    splices[#splices + 1] = { at = span.start - gone + added, del = span.length, ins = "" }
    gone = gone + span.length
  end
  return splices
end

--- The way back: splices of one event are one operation, ascending, the insert in the first.
--- @param splices atoms.TextSplice[]
--- @return atoms.TextOp
function text_op.join(splices)
  local first = splices[1] or { at = 0, del = 0, ins = "" }
  local spans, gone, added = {}, 0, utf8.len(first.ins)
  for i, splice in ipairs(splices) do
    local start = splice.at + gone - (i > 1 and added or 0)
    add_span(spans, start, start + splice.del)
    gone = gone + splice.del
  end
  return normal(first.at, first.ins, spans)
end

--- @param text string
--- @param at integer
--- @param del integer
--- @param ins string
--- @return string? text, string? problem when the range does not lie inside the text
function text_op.apply_splice(text, at, del, ins)
  local from = utf8.offset(text, at + 1)
  local to = from and utf8.offset(text, del + 1, from)
  if not to then
    return nil, ("a splice of %d at %d in a text of %d code points"):format(del, at, utf8.len(text))
  end
  return text:sub(1, from - 1) .. ins .. text:sub(to)
end

--- @param text string
--- @param op atoms.TextOp
--- @return string? text, string? problem
function text_op.apply(text, op)
  local problem
  for _, splice in ipairs(text_op.splices(op)) do
    text, problem = text_op.apply_splice(text, splice.at, splice.del, splice.ins)
    if not text then
      return nil, problem
    end
  end
  return text
end

return text_op
