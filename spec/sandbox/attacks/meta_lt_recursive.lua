-- tries: __lt that sorts
-- expect: script_failed

return {
  attack = function(arg)
    local m = {}
    m.__lt = function(a, b) table.sort({ a, b }) return true end
    local a, b = setmetatable({}, m), setmetatable({}, m)
    table.sort({ a, b })
  end,
}
