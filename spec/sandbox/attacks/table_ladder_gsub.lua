-- tries: to replace by what is looked for in many tables
-- expect: script_budget

-- What is not in it is looked for in all others, without an instruction in between.
local ladder = setmetatable({}, { __newindex = {} })
for i = 1, 900 do
  ladder = setmetatable({}, { __index = ladder })
end

return {
  attack = function(arg)
    while true do
      local s = ("x"):rep(500000):gsub(".", ladder)
    end
  end,
}
