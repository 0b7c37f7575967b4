--- What a reducer answers: built-in commands by their arguments. Each function makes one; a reducer returns a list of them.

local ops = {}

--- A new block; see `block.insert`.
--- @param block { id: string, kind: string, parent?: string, after?: string, props?: table, text?: string, vis?: string }
--- @return atoms.Op
function ops.insert(block)
  return { type = "block.insert", args = { block = block } }
end

--- Changes properties.
--- @param id string
--- @param set table<string, any>|nil
--- @param unset string[]|nil
--- @return atoms.Op
function ops.update(id, set, unset)
  return { type = "block.update", args = { id = id, set = set, unset = unset } }
end

--- Moves a block below `parent` (nil: to the root), behind its sibling `after` (nil: first).
--- @param id string
--- @param parent string|nil
--- @param after string|nil
--- @return atoms.Op
function ops.move(id, parent, after)
  return { type = "block.move", args = { id = id, parent = parent, after = after } }
end

--- Removes a block and all below it.
--- @param id string
--- @return atoms.Op
function ops.remove(id)
  return { type = "block.remove", args = { id = id } }
end

--- Sets Tokens.
--- @param set table<string, any>|nil
--- @param unset string[]|nil
--- @return atoms.Op
function ops.tokens(set, unset)
  return { type = "token.set", args = { set = set, unset = unset } }
end

return ops
