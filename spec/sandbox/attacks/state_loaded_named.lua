-- tries: the same with a name that stands nowhere in full
-- expect: result [false,false]

return {
  attack = function()
    local name = "hel" .. "per"
    return { pcall(require, name) == true, pcall(require, name) == true }
  end,
}
--@ module helper
return {}
