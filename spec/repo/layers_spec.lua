-- Who may include whom: the table of docs/architecture.md, and one owner for each third-party header.

local tree = require("repo.tree")

--- {folder = {rank=, may={folder=true}}} of the rows "| rank | `folder` | holds | may include |".
local function read_table()
  local layers = {}
  for rank, folder, may in tree.read("docs/architecture.md"):gmatch("\n| (%d) | `(%l+)` |[^\n|]*|([^\n|]*)|") do
    layers[folder] = { rank = tonumber(rank), may = { [folder] = true } }
    for name in may:gmatch("%l+") do
      layers[folder].may[name] = true
    end
  end
  return layers
end

--- Third-party headers, and the files that may include them.
local owners = {
  ["uv.h"] = { "^core/io/" },
  ["curl/curl.h"] = { "^core/io/http_client" },
  ["llhttp.h"] = { "^core/protocol/" },
  ["wslay/wslay.h"] = { "^core/protocol/" },
  ["lua.h"] = { "^core/script/" },
  ["lauxlib.h"] = { "^core/script/" },
  ["lualib.h"] = { "^core/script/" },
  ["sqlite3.h"] = { "^core/spine/sqlite/" },
  ["jansson.h"] = { "^core/base/json" },
  ["zlib.h"] = { "^core/app/" },
}

--- OpenSSL by what it is for: digests in base; cursors and bearers in protocol; TLS in io; keys in identity.
local openssl = { "^core/base/digest", "^core/protocol/siv", "^core/protocol/jw", "^core/io/tls", "^core/identity/key" }

--- Of libc, Linux and the compiler; everything else needs an owner.
local system_folders = { sys = true, netinet = true, arpa = true, linux = true, sanitizer = true }

local function is_system(header)
  local folder = header:match("^(%l+)/")
  return system_folders[folder] or (not folder and not owners[header])
end

local function is_owned(path, patterns)
  for _, one in ipairs(patterns) do
    if path:find(one) then
      return true
    end
  end
  return false
end

local function includes(path)
  local list = {}
  for open, name in tree.read(path):gmatch('#include ([<"])([^>"\n]+)') do
    list[#list + 1] = { name = name, is_own = open == '"' }
  end
  return list
end

describe("the layers of core/", function()
  local layers = read_table()
  local sources = tree.files({ "core" }, { "c", "h" })

  it("are all in the table of docs/architecture.md", function()
    local seen = {}
    for _, path in ipairs(sources) do
      seen[path:match("^core/(%l+)/")] = true
    end
    for folder in pairs(seen) do
      assert.is_truthy(layers[folder], "no row for core/" .. folder)
    end
    for folder in pairs(layers) do
      assert.is_truthy(seen[folder], "a row for core/" .. folder .. ", which holds nothing")
    end
  end)

  it("look only downwards", function()
    for folder, layer in pairs(layers) do
      for other in pairs(layer.may) do
        assert.is_truthy(layers[other], folder .. " may include " .. other .. ", which is no layer")
        assert.is_true(other == folder or layers[other].rank <= layer.rank, folder .. " looks up at " .. other)
      end
    end
  end)

  it("include what their row says and nothing else", function()
    local faults = {}
    for _, path in ipairs(sources) do
      local layer = layers[path:match("^core/(%l+)/")]
      for _, include in ipairs(includes(path)) do
        local target = include.is_own and include.name:match("^(%l+)/")
        if include.is_own and not (layer and target and layer.may[target]) then
          faults[#faults + 1] = ("%s includes %s"):format(path, include.name)
        end
      end
    end
    assert.same({}, faults)
  end)

  it("leave each third-party header to its owner", function()
    local faults = {}
    for _, path in ipairs(sources) do
      for _, include in ipairs(includes(path)) do
        local is_fine = include.is_own or is_system(include.name)
        if include.name:find("^openssl/") then
          is_fine = is_owned(path, openssl)
        elseif owners[include.name] then
          is_fine = is_owned(path, owners[include.name])
        end
        if not is_fine then
          faults[#faults + 1] = ("%s includes <%s>"):format(path, include.name)
        end
      end
    end
    assert.same({}, faults)
  end)
end)
