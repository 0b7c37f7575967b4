-- Loaded by busted before all specs: modules by the names that scripts have for them in the gateway, from the files here.

local FOLDERS = { policy = "policies", defaults = "policies", canvas = "canvases" }

table.insert(package.searchers, 2, function(name)
  local root, rest = name:match("^(%a+)%.(.+)$")
  local folder = FOLDERS[root]
  if not folder then
    return nil
  end
  local path = ("%s/%s.lua"):format(folder, rest:gsub("%.", "/"))
  local chunk, why = loadfile(path, "t")
  return chunk or ("no module '%s': %s"):format(name, why), path
end)
