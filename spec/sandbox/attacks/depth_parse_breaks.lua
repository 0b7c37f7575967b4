-- tries: breaks of one loop, each of which the compiler takes out of a list when the loop ends
-- expect: script_syntax

local function f() while true do
--@ repeat 32000 break;
end end
return {attack = function(arg) return 1 end}
