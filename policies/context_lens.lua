-- What an agent gets as context, in which order. `view` is what its lens lets it see; the gateway keeps as many items as fit the caller's
-- budget, from the first on, so the most useful come first.

local function add(items, kind, ref, data)
  items[#items + 1] = { kind = kind, ref = ref, data = data }
end

local function add_run(items, graph)
  if graph.state then
    add(items, "run", nil, { state = graph.state, detail = graph.detail, flow_id = graph.flow_id })
  end
  for id, node in pairs(graph.nodes) do
    add(items, "node", id, { kind = node.kind, label = node.label, state = node.state })
  end
end

local function children_of(blocks)
  local children = {}
  for id, block in pairs(blocks) do
    local parent = block.parent or ""
    children[parent] = children[parent] or {}
    table.insert(children[parent], id)
  end
  for _, ids in pairs(children) do
    table.sort(ids, function(a, b)
      if blocks[a].pos == blocks[b].pos then
        return a < b
      end
      return blocks[a].pos < blocks[b].pos
    end)
  end
  return children
end

-- Depth first, as a reader would meet them; the depth says where a block stands.
local function add_blocks(items, canvas_id, blocks)
  local children = children_of(blocks)
  local pending = { { ids = children[""] or {}, at = 1, depth = 0 } }
  while #pending > 0 do
    local level = pending[#pending]
    local id = level.ids[level.at]
    if not id then
      pending[#pending] = nil
    else
      level.at = level.at + 1
      items[#items + 1] = {
        kind = "block",
        ref = canvas_id .. "/" .. id,
        text = blocks[id].text,
        data = { kind = blocks[id].kind, depth = level.depth, props = blocks[id].props },
      }
      pending[#pending + 1] = { ids = children[id] or {}, at = 1, depth = level.depth + 1 }
    end
  end
end

-- The newest first: when the budget is short, the latest word counts.
local function add_chat(items, chat)
  for index = #chat.order, 1, -1 do
    local id = chat.order[index]
    local message = chat.messages[id]
    items[#items + 1] = { kind = "message", ref = id, text = message.text, data = { author = message.author } }
  end
end

return {
  name = "context_lens",
  version = 1,
  api = 1,
  context = function(request, view)
    local items = {}
    add_run(items, view.graph)
    if view.tokens then
      add(items, "tokens", nil, view.tokens)
    end
    if request.focus and view.canvases[request.focus] then
      add_blocks(items, request.focus, view.canvases[request.focus].blocks)
    end
    for canvas_id, canvas in pairs(view.canvases) do
      if canvas_id ~= request.focus then
        add_blocks(items, canvas_id, canvas.blocks)
      end
    end
    add_chat(items, view.chat)
    return items
  end,
}
