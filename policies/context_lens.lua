-- What an agent gets as context, in which order. `view` is what its lens lets it see; the gateway keeps as many items as fit the caller's
-- budget, from the first on, so the most useful come first.

-- More than this is thrown away anyway: items that cannot fit are not made. `spent` is a low guess of what the items take.
local function add(list, kind, ref, text, data)
  if list.spent <= list.max_bytes then
    list.spent = list.spent + 32 + #(ref or "") + #(text or "")
    list.items[#list.items + 1] = { kind = kind, ref = ref, text = text, data = data }
  end
end

local function add_run(list, graph)
  if graph.state then
    add(list, "run", nil, nil, { state = graph.state, detail = graph.detail, flow_id = graph.flow_id })
  end
  for id, node in pairs(graph.nodes) do
    add(list, "node", id, nil, { kind = node.kind, label = node.label, state = node.state })
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
local function add_blocks(list, canvas_id, blocks)
  local children = children_of(blocks)
  local pending = { { ids = children[""] or {}, at = 1, depth = 0 } }
  while #pending > 0 and list.spent <= list.max_bytes do
    local level = pending[#pending]
    local id = level.ids[level.at]
    if not id then
      pending[#pending] = nil
    else
      level.at = level.at + 1
      local block = blocks[id]
      add(list, "block", canvas_id .. "/" .. id, block.text, {
        kind = block.kind, depth = level.depth, props = block.props, text_bytes = block.text_bytes })
      pending[#pending + 1] = { ids = children[id] or {}, at = 1, depth = level.depth + 1 }
    end
  end
end

-- The newest first: when the budget is short, the latest word counts.
local function add_chat(list, chat)
  for index = #chat.order, 1, -1 do
    local id = chat.order[index]
    local message = chat.messages[id]
    add(list, "message", id, message.text, { author = message.author, text_bytes = message.text_bytes })
  end
end

return {
  name = "context_lens",
  version = 1,
  api = 1,
  context = function(request, view)
    local list = { items = {}, spent = 0, max_bytes = request.max_bytes }
    add_run(list, view.graph)
    if view.tokens then
      add(list, "tokens", nil, nil, view.tokens)
    end
    if request.focus and view.canvases[request.focus] then
      add_blocks(list, request.focus, view.canvases[request.focus].blocks)
    end
    for canvas_id, canvas in pairs(view.canvases) do
      if canvas_id ~= request.focus then
        add_blocks(list, canvas_id, canvas.blocks)
      end
    end
    add_chat(list, view.chat)
    return list.items
  end,
}
