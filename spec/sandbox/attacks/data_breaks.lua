-- tries: breaks of one loop
-- expect: data_syntax

--@ data
while true do
--@ repeat 32000 break;
end
return {}
