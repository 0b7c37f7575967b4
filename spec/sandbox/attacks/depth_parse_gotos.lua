-- tries: gotos of one label
-- expect: script_syntax

local function f()
--@ repeat 31000 goto a;
::a::
end
return {attack = function(arg) return 1 end}
