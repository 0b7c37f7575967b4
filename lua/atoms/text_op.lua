--- Edits of one text, and what becomes of one when another came first: the client's half of the rules in docs/contract.md.
---
--- An operation is one splice as its author meant it: `ins` goes in at `at`, and spans are removed, all in the coordinates (code points, from
--- 0) of the text before it. One splice starts with one span; inserts of others split it. Operations are values: no function changes one.

local text_op = {}

--- @class atoms.TextSpan
--- @field start integer
--- @field length integer

--- @class atoms.TextOp
--- @field at integer
--- @field ins string
--- @field spans atoms.TextSpan[] ascending, not empty, neither touching nor overlapping, none before `at`

--- @param at integer
--- @param del integer
--- @param ins string
--- @return atoms.TextOp
function text_op.splice(at, del, ins)
  return { at = at, ins = ins, spans = del > 0 and { { start = at, length = del } } or {} }
end

--- Where a point of the old text lies once the spans are gone.
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
  if last and last.start + last.length == from then
    last.length = last.length + to - from
  elseif to > from then
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
  local out = { at = move_insert(a, b, a_is_later), ins = a.ins, spans = {} }
  for _, span in ipairs(a.spans) do
    for _, piece in ipairs(pieces_left(span.start, span.start + span.length, b)) do
      move_piece(out.spans, piece, b)
    end
  end
  return out
end

--- The same as plain splices, each applied to the text as the one before left it.
--- @param op atoms.TextOp
--- @return {at: integer, del: integer, ins: string}[]
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
--- @param splices {at: integer, del: integer, ins: string}[]
--- @return atoms.TextOp
function text_op.join(splices)
  local first = splices[1]
  local op = text_op.splice(first.at, first.del, first.ins)
  local gone, added = first.del, utf8.len(first.ins)
  for i = 2, #splices do
    local start = splices[i].at + gone - added
    add_span(op.spans, start, start + splices[i].del)
    gone = gone + splices[i].del
  end
  return op
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
