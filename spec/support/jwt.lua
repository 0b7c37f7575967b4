--- Bearers of every kind, right and wrong. HMAC is written out here, so that a bearer's signature is not checked against itself.
---
---   jwt.sha256(text) → 32 bytes        jwt.hmac(key, text) → 32 bytes         jwt.base64url(bytes)
---   jwt.claims{actor=, tenant=, role=, kind=, modes=, projects=, surfaces=, apps=, tokens=, ttl=, …} → claims; `extra` is merged last
---   jwt.hs256(claims, secret, header?) → token       jwt.none(claims) → token     jwt.assemble(header, claims, signature) → token
---   jwt.key("RS256"|"ES256"|"EdDSA", kid) → key      key:sign(claims, header?) → token; key.jwk is its public half as a table
---   jwt.jwks{key, …} → text

local json = require("support.json")
local sha256 = require("atoms.sha256")
local shell = require("support.shell")

local jwt = {}

jwt.sha256 = sha256.sum

function jwt.hmac(key, text)
  if #key > 64 then
    key = jwt.sha256(key)
  end
  key = key .. ("\0"):rep(64 - #key)
  local function mask(byte)
    return (key:gsub(".", function(char)
      return string.char(char:byte() ~ byte)
    end))
  end
  return jwt.sha256(mask(0x5c) .. jwt.sha256(mask(0x36) .. text))
end

-- ---- base64url (RFC 4648 section 5, without padding) ----------------------------------------------------------------------------------

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

function jwt.base64url(bytes)
  local out = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local word = (a << 16) | ((b or 0) << 8) | (c or 0)
    for i = 0, (c and 3 or b and 2 or 1) do
      local index = (word >> (18 - 6 * i)) & 63
      out[#out + 1] = alphabet:sub(index + 1, index + 1)
    end
  end
  return table.concat(out)
end

-- ---- claims and tokens ----------------------------------------------------------------------------------------------------------------

function jwt.claims(options)
  local meta = json.object({
    tenant_id = options.tenant or "acme",
    role = options.role or "editor",
    kind = options.kind or "user",
    modes = options.modes,
    projects = options.projects,
    surfaces = options.surfaces,
    apps = options.apps,
    tokens = options.tokens,
  })
  local now = os.time()
  local claims = json.object({ sub = options.actor or "ann", app_metadata = meta, iat = now, exp = now + (options.ttl or 3600) })
  for name, value in pairs(options.extra or {}) do
    claims[name] = value
  end
  return claims
end

local function signing_input(header, claims)
  return jwt.base64url(json.encode(header)) .. "." .. jwt.base64url(type(claims) == "string" and claims or json.encode(claims))
end

function jwt.assemble(header, claims, signature)
  return signing_input(header, claims) .. "." .. jwt.base64url(signature)
end

function jwt.hs256(claims, secret, header)
  header = header or { alg = "HS256", typ = "JWT" }
  return jwt.assemble(header, claims, jwt.hmac(secret, signing_input(header, claims)))
end

function jwt.none(claims)
  return jwt.assemble({ alg = "none", typ = "JWT" }, claims, "")
end

-- ---- asymmetric keys by the openssl program -------------------------------------------------------------------------------------------

local Key = {}
Key.__index = Key

local recipes = {
  RS256 = { "openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048" },
  ES256 = { "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256" },
  EdDSA = { "openssl", "genpkey", "-algorithm", "ED25519" },
}

local function unhex(text)
  return (text:gsub("%s", ""):gsub(":", ""):gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local function public_jwk(algorithm, path)
  local text = shell.must({ "openssl", "pkey", "-in", path, "-noout", "-text_pub" })
  if algorithm == "RS256" then
    local modulus = unhex(text:match("Modulus:%s*([%x:%s]+)Exponent")):gsub("^\0+", "")
    return { kty = "RSA", n = jwt.base64url(modulus), e = jwt.base64url("\1\0\1") }
  end
  local point = unhex(text:match("pub:%s*([%x:%s]+)%f[%a\0][AN]?") or text:match("pub:%s*([%x:%s]+)"))
  if algorithm == "ES256" then
    return { kty = "EC", crv = "P-256", x = jwt.base64url(point:sub(2, 33)), y = jwt.base64url(point:sub(34, 65)) }
  end
  return { kty = "OKP", crv = "Ed25519", x = jwt.base64url(point:sub(1, 32)) }
end

function jwt.key(algorithm, kid)
  local path = shell.folder() .. "/key.pem"
  shell.write(path, shell.must(recipes[algorithm]))
  local jwk = public_jwk(algorithm, path)
  jwk.kid, jwk.alg, jwk.use = kid, algorithm, "sig"
  return setmetatable({ algorithm = algorithm, path = path, kid = kid, jwk = json.object(jwk) }, Key)
end

--- DER SEQUENCE of two INTEGERs to the 64 bytes of RFC 7518 section 3.4.
local function raw_ecdsa(der)
  local at = 3
  local parts = {}
  for i = 1, 2 do
    local length = der:byte(at + 1)
    local number = der:sub(at + 2, at + 1 + length):gsub("^\0+", "")
    parts[i] = ("\0"):rep(32 - #number) .. number
    at = at + 2 + length
  end
  return parts[1] .. parts[2]
end

function Key:sign(claims, header)
  header = header or { alg = self.algorithm, typ = "JWT", kid = self.kid }
  local input = signing_input(header, claims)
  local folder = shell.folder()
  local file = shell.write(folder .. "/input", input)
  local argv = { "openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", file, "-out", folder .. "/signature" }
  if self.algorithm ~= "EdDSA" then
    table.move({ "-digest", "sha256" }, 1, 2, #argv + 1, argv)
  end
  shell.must(argv)
  local signature = shell.read(folder .. "/signature")
  return input .. "." .. jwt.base64url(self.algorithm == "ES256" and raw_ecdsa(signature) or signature)
end

function jwt.jwks(keys)
  local list = json.array()
  for i, key in ipairs(keys) do
    list[i] = key.jwk
  end
  return json.encode(json.object({ keys = list }))
end

return jwt
