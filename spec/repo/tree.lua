--- The source tree as data, for the specs of its rules.
---
---   tree.files(folders, endings) → sorted paths        tree.read(path) → text        tree.lines(path) → list
---   tree.code(path) → text of a C file with comments and literals blanked, line for line
---   tree.functions(path) → {{name=, line=, length=, parameters=}, …} of a C file
---   tree.run(command) → output, succeeded

local tree = {}

function tree.run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read("a")
  local ok = pipe:close()
  return output, ok == true
end

function tree.files(folders, endings)
  local wanted, list = {}, {}
  for _, ending in ipairs(endings) do
    wanted[ending] = true
  end
  for path in tree.run("find " .. table.concat(folders, " ") .. " -type f | LC_ALL=C sort"):gmatch("[^\n]+") do
    local ending = path:match("%.(%w+)$")
    if wanted["*"] or wanted[ending] then
      list[#list + 1] = path
    end
  end
  assert(#list > 0, "no files below " .. table.concat(folders, " "))
  return list
end

function tree.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

function tree.lines(path)
  local lines = {}
  for line in (tree.read(path) .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  if lines[#lines] == "" then
    lines[#lines] = nil
  end
  return lines
end

local function blank(text)
  return (text:gsub("[^\n]", " "))
end

--- Where the comment or literal that begins at `at` ends.
local function end_of(text, at, opener)
  if opener == "/*" then
    return select(2, text:find("*/", at + 2, true)) or #text
  elseif opener == "//" then
    return (text:find("\n", at, true) or #text + 1) - 1
  end
  local stop = at + 1
  while stop <= #text and text:sub(stop, stop) ~= opener do
    stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
  end
  return stop
end

function tree.code(path)
  local text, parts, at = tree.read(path), {}, 1
  while true do
    local start = text:find("[/\"']", at)
    if not start then
      parts[#parts + 1] = text:sub(at)
      return table.concat(parts)
    end
    local two = text:sub(start, start + 1)
    local opener = (two == "/*" or two == "//") and two or text:sub(start, start)
    parts[#parts + 1] = text:sub(at, start - 1)
    if opener == "/" then
      parts[#parts + 1] = "/"
      at = start + 1
    else
      local stop = end_of(text, start, opener)
      parts[#parts + 1] = blank(text:sub(start, stop))
      at = stop + 1
    end
  end
end

--- The last one is not counted when it is where errors go, nor are those of `...`.
local function count_parameters(list)
  list = list:gsub(",%s*struct gw_error %*err%s*$", ""):gsub(",%s*%.%.%.%s*$", "")
  if list:match("^%s*void%s*$") or list:match("^%s*$") then
    return 0
  end
  local depth, count = 0, 1
  for char in list:gmatch("[(),]") do
    depth = depth + (char == "(" and 1 or char == ")" and -1 or 0)
    count = count + (char == "," and depth == 0 and 1 or 0)
  end
  return count
end

--- A definition begins in column 0, its body with a line "{" or on the line itself, and ends with "}" in column 0 (or on the line itself).
function tree.functions(path)
  local code, list = tree.code(path), {}
  local line_of = {}
  local line = 1
  for at = 1, #code do
    line_of[at] = line
    if code:byte(at) == 10 then
      line = line + 1
    end
  end
  for start, head, parameters, brace in ("\n" .. code):gmatch("\n()([%a_][%w_ *]-[%w_]+)(%b())%s*()[{]") do
    local name = head:match("([%w_]+)$")
    local body = code:match("^%b{}", brace - 1)
    if body and not head:find("=", 1, true) and name ~= "define" then
      local _, height = body:gsub("\n", "\n")
      list[#list + 1] = { name = name, line = line_of[start], length = height + 1, parameters = count_parameters(parameters:sub(2, -2)) }
    end
  end
  return list
end

return tree
