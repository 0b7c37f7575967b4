--- Programs and temporary folders.
---
---   shell.quote(text)                  one word of a sh command line
---   shell.run(argv, input?)            {code=, out=, err=}; argv is a list, input a text for its standard input
---   shell.must(argv, input?)           its output; an error when it fails
---   shell.folder()                     a new temporary folder, removed by shell.clean()
---   shell.read(path) / shell.write(path, text)

local shell = {}

local folders = {}

function shell.quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

function shell.line(argv)
  local words = {}
  for _, word in ipairs(argv) do
    words[#words + 1] = shell.quote(word)
  end
  return table.concat(words, " ")
end

function shell.read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read("a")
  file:close()
  return text
end

function shell.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
  return path
end

function shell.folder()
  local pipe = assert(io.popen("mktemp -d /tmp/atoms-spec.XXXXXX"))
  local path = pipe:read("l")
  pipe:close()
  folders[#folders + 1] = assert(path, "mktemp gave no folder")
  return path
end

function shell.clean()
  for _, path in ipairs(folders) do
    os.execute("rm -rf " .. shell.quote(path))
  end
  folders = {}
end

function shell.run(argv, input)
  local base = os.tmpname()
  local stdin = "/dev/null"
  if input then
    stdin = shell.write(base .. ".in", input)
  end
  local _, _, code = os.execute(("%s <%s >%s 2>%s"):format(shell.line(argv), shell.quote(stdin), base .. ".out", base .. ".err"))
  local result = { code = code, out = shell.read(base .. ".out"), err = shell.read(base .. ".err") }
  for _, suffix in ipairs({ "", ".in", ".out", ".err" }) do
    os.remove(base .. suffix)
  end
  return result
end

function shell.must(argv, input)
  local result = shell.run(argv, input)
  if result.code ~= 0 then
    error(("%s ended with %s: %s"):format(argv[1], result.code, result.err), 2)
  end
  return result.out
end

return shell
