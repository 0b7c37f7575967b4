-- tries: the same by a function that takes as many of them as one likes
-- expect: script_failed

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "65"
    local function grow(n, ...)
      if n == 0 then return string.char(...) end
      return grow(n - 1, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, ...)
    end
    return #grow(120)
  end,
}
