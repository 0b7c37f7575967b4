-- tries: a loop while the module loads
-- expect: script_budget

while true do end
