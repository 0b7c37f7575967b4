-- tries: a module that is no table
-- expect: script_missing

return false
