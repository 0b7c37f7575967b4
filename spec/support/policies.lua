--- Folders of policies for a gateway of a spec: a copy of the defaults, with files of the spec's own.
---
---   local folder = policies.folder{["tenants/acme/token_lens.lua"] = text, …}     absent text: the default as it is
---   folder.path                    for ATOMS_POLICIES_DIR
---   folder:write(name, text)       saves a file; nil removes it
---   policies.lens(body) → text of a token_lens.lua whose `lens(actor, scope)` is `body`; `lens` there is atoms.lens

local shell = require("support.shell")

local policies = {}

local Folder = {}
Folder.__index = Folder

function Folder:write(name, text)
  local path = self.path .. "/" .. name
  shell.must({ "mkdir", "-p", path:match("^(.*)/") })
  if text then
    shell.write(path .. ".new", text)
    assert(os.rename(path .. ".new", path))
  else
    assert(os.remove(path))
  end
end

function policies.folder(files)
  local self = setmetatable({ path = shell.folder() .. "/policies" }, Folder)
  shell.must({ "cp", "-r", "policies", self.path })
  for name, text in pairs(files or {}) do
    self:write(name, text)
  end
  return self
end

function policies.lens(body)
  return ([[
local lens = require("atoms.lens")
return { name = "token_lens", version = 1, api = 1, lens = function(actor, scope) %s end }
]]):format(body)
end

return policies
