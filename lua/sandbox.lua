--- What a script finds when it begins: every global, every member of the libraries, every built-in module. A spec walks the sandbox and
--- compares; what is not here does not exist there.

return {
  functions = {
    "assert", "error", "getmetatable", "ipairs", "pairs", "pcall", "rawequal", "require", "select", "setmetatable", "tonumber", "tostring",
    "type", "xpcall",
  },
  values = { "_VERSION" },
  libraries = {
    math = {
      functions = {
        "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod", "log", "max", "min", "modf", "rad", "sin", "sqrt",
        "tan", "tointeger", "type", "ult",
      },
      values = { "huge", "maxinteger", "mininteger", "pi" },
    },
    string = {
      functions = {
        "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper",
      },
      values = {},
    },
    table = { functions = { "concat", "insert", "move", "pack", "remove", "sort", "unpack" }, values = {} },
    utf8 = { functions = { "char", "codepoint", "codes", "len", "offset" }, values = { "charpattern" } },
  },
  modules = {
    ["atoms.json"] = { functions = { "decode", "encode", "list" }, values = { "null" } },
  },
}
