-- tries: keys that fall on different places of a table, and all on one place of the table that is twice as large: when it grows, one instruction costs n^2
-- expect: script_memory:table_names

return {
  attack = function(arg)
    local t = {}
    for i = 1, 32769 do t[i * 65535] = i end
    return #t
  end,
}
