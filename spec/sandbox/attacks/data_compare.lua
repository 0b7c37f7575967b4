-- tries: to hold a worker by a file that is read as data
-- expect: data_budget
--@ data

local a = "\0"
for _ = 1, 18 do a = a .. a end
local b = a .. "b"
while true do
  local x = a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b
end
