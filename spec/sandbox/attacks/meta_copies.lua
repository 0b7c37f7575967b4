-- tries: many tables with a metatable of many members, all frozen at once
-- expect: script_budget

local members = {}
for i = 1, 8000 do
  members["m" .. i] = i
end
local kept = {}
for i = 1, 3000 do
  kept[i] = setmetatable({}, members)
end

return {
  attack = function(arg)
    return #kept
  end,
}
