--- Runs specs inside the sandbox, as busted runs them outside: `atoms test`. A spec's file comes as a module that returns a function of
--- what busted would have made global. Every test runs alone, after its file was read anew.
---
---   spec.names(module) → {"the default roles are six", …}
---   spec.run(module, index) → {name=, is_good=, message=}

local spec = {}

local function show(value)
  if type(value) == "string" then
    return "\"" .. value .. "\""
  end
  if type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  for key, member in pairs(value) do
    parts[#parts + 1] = type(member) == "table" and tostring(key) .. "={…}" or tostring(key) .. "=" .. show(member)
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

-- Where two values differ first, as a pointer, and what stands there; nil: nowhere.
local function difference(a, b, at)
  if type(a) ~= "table" or type(b) ~= "table" then
    if a ~= b then
      return at, a, b
    end
    return nil
  end
  for key, member in pairs(a) do
    local where, x, y = difference(member, b[key], at .. "/" .. tostring(key))
    if where then
      return where, x, y
    end
  end
  for key, member in pairs(b) do
    if a[key] == nil then
      return at .. "/" .. tostring(key), nil, member
    end
  end
end

-- Level 3 is the line of the spec that asserts.
local function expect(is_good, message, ...)
  if not is_good then
    error(message:format(...), 3)
  end
end

local function make_assert()
  local made = {}
  function made.equal(expected, given)
    expect(expected == given, "expected %s, got %s", show(expected), show(given))
  end
  function made.same(expected, given)
    local where, x, y = difference(expected, given, "")
    if where == "" or not where then
      expect(not where, "expected %s, got %s", show(expected), show(given))
    end
    expect(not where, "expected %s at %s, got %s", show(x), where, show(y))
  end
  function made.is_true(value)
    expect(value == true, "expected true, got %s", show(value))
  end
  function made.is_false(value)
    expect(value == false, "expected false, got %s", show(value))
  end
  function made.is_nil(value)
    expect(value == nil, "expected nil, got %s", show(value))
  end
  function made.is_not_nil(value)
    expect(value ~= nil, "expected something, got nil")
  end
  function made.is_truthy(value)
    expect(value, "expected something true, got %s", show(value))
  end
  function made.is_falsy(value)
    expect(not value, "expected nil or false, got %s", show(value))
  end
  function made.matches(pattern, text)
    expect(type(text) == "string" and text:find(pattern), "expected a text like %s, got %s", pattern, show(text))
  end
  function made.has_error(run)
    expect(not pcall(run), "expected an error")
  end
  local names = {}
  for name in pairs(made) do
    names[#names + 1] = name
  end
  return setmetatable(made, {
    __index = function(_, name)
      error(("there is no assert.%s here; of busted's there are %s"):format(name, table.concat(names, ", ")), 2)
    end,
    __call = function(_, value, message)
      expect(value, "%s", message or "assertion failed!")
      return value
    end,
  })
end

--- All tests of a file: {name, run, before = functions, after = functions}, outermost first.
local function collect(module)
  local tests, names, before, after = {}, {}, {}, {}
  local function describe(name, body)
    local depth, before_count, after_count = #names, #before, #after
    names[depth + 1] = name
    body()
    names[depth + 1] = nil
    for index = #before, before_count + 1, -1 do
      before[index] = nil
    end
    for index = #after, after_count + 1, -1 do
      after[index] = nil
    end
  end
  local function it(name, run)
    if type(run) ~= "function" then
      error(("it(\"%s\", …) needs a function: what the test does"):format(name), 2)
    end
    tests[#tests + 1] = {
      name = table.concat(names, " ") .. " " .. name,
      run = run,
      before = table.move(before, 1, #before, 1, {}),
      after = table.move(after, 1, #after, 1, {}),
    }
  end
  local function before_each(run)
    before[#before + 1] = run
  end
  local function after_each(run)
    after[#after + 1] = run
  end
  require(module)(describe, it, before_each, after_each, make_assert())
  return tests
end

function spec.names(module)
  local names = {}
  for index, test in ipairs(collect(module)) do
    names[index] = test.name
  end
  return names
end

local function run_all(test)
  for _, run in ipairs(test.before) do
    run()
  end
  test.run()
  for index = #test.after, 1, -1 do
    test.after[index]()
  end
end

function spec.run(module, index)
  local test = collect(module)[index]
  local is_good, message = pcall(run_all, test)
  return { name = test.name, is_good = is_good, message = not is_good and tostring(message) or nil }
end

return spec
