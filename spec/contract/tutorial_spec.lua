-- docs/tutorial.md says what happens: its blocks run in order, in one shell, against the real program, and show what they show there.

local clock = require("support.clock")
local gateways = require("support.gateway")
local shell = require("support.shell")

local TUTORIAL = "docs/tutorial.md"
local MARK = "\1"

--- Its code blocks: {language, line = of the first line within, text}.
local function blocks_of(path)
  local blocks, open, number = {}, nil, 0
  for line in io.lines(path) do
    number = number + 1
    local fence = line:match("^```(.*)$")
    if fence and open then
      open.text = table.concat(open, "\n")
      open = nil
    elseif fence then
      open = { language = fence, line = number + 1 }
      blocks[#blocks + 1] = open
    elseif open then
      open[#open + 1] = line
    end
  end
  return assert(not open and blocks, "a block that does not end")
end

-- Saved whole, as an editor does: the gateway watches.
local function save(block)
  local path = assert(block.text:match("^%-%- (%S+%.lua)\n"), ("line %d: a file of Lua begins with its name"):format(block.line))
  return ("cat >.saved <<'END OF FILE'\n%s\nEND OF FILE\nmv .saved %s"):format(block.text, shell.quote(path))
end

--- Everything in one shell; what a block printed ends with a mark, the block's number and how its last command ended.
local function script_of(blocks)
  local parts = { "trap '[ -z \"${GATEWAY-}\" ] || kill $GATEWAY 2>/dev/null' EXIT", "trap 'exit 1' TERM" }
  for i, block in ipairs(blocks) do
    if block.language ~= "text" then
      parts[#parts + 1] = block.language == "lua" and save(block) or block.text
      parts[#parts + 1] = ("printf '%%s %d %%d\\n' '%s' $?"):format(i, MARK)
    end
  end
  parts[#parts + 1] = "GATEWAY=\ncat log.txt >&2"
  return table.concat(parts, "\n") .. "\n"
end

local function run(blocks)
  local folder = shell.folder()
  local words = {
    "env", "-u", "ATOMS_LISTEN", "BUILD=" .. shell.must({ "realpath", gateways.bin }):match("^(.*)/"), "TMPDIR=" .. folder,
    "timeout", "-k", "5", tostring(3 * clock.seconds), "bash", shell.write(folder .. "/tutorial.sh", script_of(blocks)),
  }
  return shell.run(words)
end

--- "…" stands for anything within a line; the spaces of columns count as one.
local function as_pattern(text)
  local line = text:gsub(" +", " "):gsub("%p", "%%%0")
  return "^" .. line:gsub("…", ".*") .. "$"
end

local function trimmed(text)
  return (text:gsub(" +", " "):gsub("%s+$", ""))
end

local function lines_of(text)
  local lines = {}
  for line in (trimmed(text) .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line ~= "" and line or nil
  end
  return lines
end

local function differs(shown, given)
  local wanted, got = lines_of(shown), lines_of(given)
  for i = 1, math.max(#wanted, #got) do
    if not (wanted[i] and got[i] and got[i]:find(as_pattern(wanted[i]))) then
      return ("says\n    %s\nwhere the program says\n    %s"):format(wanted[i] or "nothing more", got[i] or "nothing more")
    end
  end
end

describe("the tutorial", function()
  local blocks, result, outputs

  setup(function()
    blocks = blocks_of(TUTORIAL)
    result = run(blocks)
    outputs = {}
    for text, number, code in result.out:gmatch("(.-)" .. MARK .. " (%d+) (%d+)\n") do
      outputs[tonumber(number)] = { text = text, code = tonumber(code) }
    end
  end)

  teardown(shell.clean)

  it("has blocks of shell, of Lua, and of what they show", function()
    local count = { sh = 0, lua = 0, text = 0 }
    for _, block in ipairs(blocks) do
      assert(count[block.language], ("%s:%d: a block of no known language"):format(TUTORIAL, block.line))
      count[block.language] = count[block.language] + 1
    end
    assert.is_true(count.sh > 5 and count.lua > 3 and count.text > 5)
  end)

  it("runs to its end, and the gateway ends in order", function()
    for i, block in ipairs(blocks) do
      if block.language ~= "text" then
        local what = ("%s:%d"):format(TUTORIAL, block.line)
        assert(outputs[i], what .. " did not end\n" .. result.out:sub(-2000) .. result.err:sub(-4000))
        assert(outputs[i].code == 0, ("%s ended with %d\n%s"):format(what, outputs[i].code, outputs[i].text .. result.err:sub(-2000)))
      end
    end
    assert.is_nil(result.err:find("Sanitizer", 1, true), result.err:sub(-4000))
  end)

  it("shows what the program says", function()
    for i, block in ipairs(blocks) do
      local given = block.language == "text" and outputs[i - 1] and outputs[i - 1].text
      local fault = given and differs(block.text, given)
      assert(not fault, ("%s:%d %s"):format(TUTORIAL, block.line, fault))
    end
  end)

  it("says so wherever something is shown", function()
    for i, block in ipairs(blocks) do
      local text = block.language == "sh" and outputs[i] and trimmed(outputs[i].text) or ""
      local is_shown = text == "" or (blocks[i + 1] or {}).language == "text"
      assert(is_shown, ("%s:%d prints what the tutorial does not show: %s"):format(TUTORIAL, block.line, text:sub(1, 500)))
    end
  end)
end)
