-- tries: a table of data that takes long to walk
-- expect: data_budget|data_bad_value
--@ data

local t = {}
for i = 1, 4090 do t[i * 4095] = i end
return t
