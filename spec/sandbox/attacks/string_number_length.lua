-- tries: the same as the length of an object
-- expect: script_failed

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "1"
    table.sort(setmetatable({}, { __len = function() return s end }))
  end,
}
