-- tries: a table in a table in a table
-- expect: script_memory|script_budget

return {
  attack = function(arg)
    local t = {}
    while true do t = { t } end
  end,
}
