-- tries: an order function that sorts again, without an end
-- expect: script_failed

return {
  attack = function(arg)
    local t = { 2, 1 }
    local function order() table.sort(t, order) return true end
    table.sort(t, order)
  end,
}
