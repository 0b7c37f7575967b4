-- tries: a replacement function that calls gsub again, without an end
-- expect: script_failed

return {
  attack = function(arg)
    local function again() return (("x"):gsub("x", again)) end
    return again()
  end,
}
