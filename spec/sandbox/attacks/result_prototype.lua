-- tries: names with a meaning in other languages
-- expect: result {"__proto__":{"x":1},"constructor":"x"}

return {
  attack = function(arg)
    return { ["__proto__"] = { x = 1 }, constructor = "x" }
  end,
}
