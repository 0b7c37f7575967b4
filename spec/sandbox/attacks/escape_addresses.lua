-- tries: addresses of the process, to find out where its memory lies
-- expect: result [false,false,"function","table","table"]

return {
  attack = function(arg)
    local shown = { tostring({}), tostring(pairs), tostring(setmetatable({}, { __name = "mine" })) }
    shown[2], shown[3] = shown[3], shown[2]
    return { (pcall(string.format, "%p", {})), (pcall(string.format, "%s", {})), shown[3], shown[1], shown[2] }
  end,
}
