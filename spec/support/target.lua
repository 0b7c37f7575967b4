--- What the smoke contract is checked against: a deployment, when ATOMS_URL names one, else a gateway of our own.
---
---   target.open() → t
---     t.client       a client of it
---     t.bearer       one that may write; t.short_bearer() → one that ends within seconds, or nil when nobody gave one
---     t.gateway      the process, or nil when it is not ours to kill
---     t.ids          the scope that the bearer covers, without a run
---   target.close()
---
--- Of a deployment: ATOMS_BEARER is its bearer (a role that may write), ATOMS_SHORT_BEARER one of the same actor that ends within a minute.
--- The scope follows from the claims: its tenant, and the first of its modes, projects, surfaces and apps, or dev, smoke, smoke, smoke.

local client = require("support.client")
local gateway = require("support.gateway")
local json = require("support.json")

local target = {}

local function unbase64url(text)
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  local word, bits, out = 0, 0, {}
  for char in text:gmatch(".") do
    word, bits = (word << 6) | (alphabet:find(char, 1, true) - 1), bits + 6
    if bits >= 8 then
      bits = bits - 8
      out[#out + 1] = string.char((word >> bits) & 255)
      word = word & ((1 << bits) - 1)
    end
  end
  return table.concat(out)
end

local function scope_of(bearer)
  local payload = assert(bearer:match("^[^.]+%.([^.]+)%."), "ATOMS_BEARER is no JWT")
  local meta = json.must(unbase64url(payload)).app_metadata or {}
  local function first(list, fallback)
    return list and list[1] or fallback
  end
  return {
    tenant_id = meta.tenant_id, mode = first(meta.modes, "dev"), project_id = first(meta.projects, "smoke"),
    surface_id = first(meta.surfaces, "smoke"), app_id = first(meta.apps, "smoke"),
  }
end

local function open_deployment(url)
  local bearer = os.getenv("ATOMS_BEARER") or error("ATOMS_BEARER is needed to talk to " .. url)
  local ids = scope_of(bearer)
  return {
    client = client.new({ url = url, scope = ids, bearer = bearer }),
    bearer = bearer,
    ids = ids,
    short_bearer = function() return os.getenv("ATOMS_SHORT_BEARER") end,
  }
end

local function open_own()
  local own = gateway.start({})
  own.scope.run_id = nil
  return {
    client = own,
    gateway = own,
    bearer = own:bearer({}),
    ids = own.scope,
    short_bearer = function() return own:bearer({ ttl = 2 }) end,
  }
end

function target.open()
  local url = os.getenv("ATOMS_URL")
  return url and open_deployment(url) or open_own()
end

target.close = gateway.stop_all

return target
