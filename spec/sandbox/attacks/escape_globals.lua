-- tries: what else the table of globals holds: nothing but the list
-- expect: result ["_G","arg","bit32","unpack","jit","newproxy","os","io","debug","package","load","next","rawget","rawlen"]

return {
  attack = function(arg)
    local absent = {}
    for _, name in ipairs({ "_G", "arg", "bit32", "unpack", "jit", "newproxy", "os", "io", "debug", "package", "load", "next", "rawget", "rawlen" }) do
      absent[#absent + 1] = _ENV[name] == nil and name or nil
    end
    return absent
  end,
}
