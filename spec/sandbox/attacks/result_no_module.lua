-- tries: a module that is nothing
-- expect: script_failed

local nothing = 1
