-- tries: a table that is a list and a record
-- expect: script_bad_result

return {
  attack = function(arg)
    return { 1, 2, name = "x" }
  end,
}
