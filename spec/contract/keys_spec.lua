-- Keys that verify bearers: a key set from a file or a URL, the algorithm bound to the key.

local support = require("support")
local jwt = support.jwt
local origin = require("support.origin")

local ALGORITHMS = { "RS256", "ES256", "EdDSA" }

describe("a key set", function()
  local keys = {}

  local function set_of(...)
    local list = {}
    for i, algorithm in ipairs({ ... }) do
      list[i] = keys[algorithm]
    end
    return jwt.jwks(list)
  end

  local function ask(gateway, bearer)
    return gateway:get("/v1/state", bearer, gateway:ids({}))
  end

  setup(function()
    for _, algorithm in ipairs(ALGORITHMS) do
      keys[algorithm] = jwt.key(algorithm, "key-" .. algorithm)
    end
  end)

  describe("from a file", function()
    local gateway

    setup(function()
      local file = support.shell.write(support.shell.folder() .. "/keys.json", set_of(table.unpack(ALGORITHMS)))
      gateway = support.start({ env = { ATOMS_JWKS_FILE = file, ATOMS_JWT_SECRET = false } })
    end)

    for _, algorithm in ipairs(ALGORITHMS) do
      it("verifies " .. algorithm, function()
        assert.equal(200, ask(gateway, keys[algorithm]:sign(jwt.claims({}))).status)
      end)

      it("verifies " .. algorithm .. " without a kid", function()
        assert.equal(200, ask(gateway, keys[algorithm]:sign(jwt.claims({}), { alg = algorithm })).status)
      end)

      it("refuses an HMAC made with the public key of " .. algorithm, function()
        local key = keys[algorithm]
        local pem = support.shell.must({ "openssl", "pkey", "-in", key.path, "-pubout" })
        for _, secret in ipairs({ pem, (pem:gsub("\n$", "")), key.jwk.n or key.jwk.x }) do
          for _, header in ipairs({ { alg = "HS256", kid = key.kid }, { alg = "HS256" }, { alg = algorithm, kid = key.kid } }) do
            assert.equal(401, ask(gateway, jwt.hs256(jwt.claims({}), secret, header)).status)
          end
        end
      end)

      it("refuses a bearer of " .. algorithm .. " that names another key or algorithm", function()
        for _, other in ipairs(ALGORITHMS) do
          if other ~= algorithm then
            assert.equal(401, ask(gateway, keys[algorithm]:sign(jwt.claims({}), { alg = algorithm, kid = keys[other].kid })).status)
            assert.equal(401, ask(gateway, keys[algorithm]:sign(jwt.claims({}), { alg = other, kid = keys[algorithm].kid })).status)
          end
        end
      end)

      it("refuses a bearer of " .. algorithm .. " by a key that is not in the set", function()
        local stranger = jwt.key(algorithm, keys[algorithm].kid)
        assert.equal(401, ask(gateway, stranger:sign(jwt.claims({}))).status)
      end)
    end

    it("takes no key from the bearer's own header", function()
      local stranger = jwt.key("ES256", "mine")
      local header = { alg = "ES256", kid = "mine", jwk = stranger.jwk, jku = "http://127.0.0.1:1/keys" }
      assert.equal(401, ask(gateway, stranger:sign(jwt.claims({}), header)).status)
    end)

    it("leaves nothing to sign with for atoms token", function()
      local result = gateway:program({ "token", "--tenant", "acme", "--actor", "ann", "--role", "editor" })
      assert.not_equal(0, result.code)
      assert.equal("", result.out)
    end)
  end)

  describe("from a URL", function()
    local source

    before_each(function()
      source = origin.start()
    end)

    after_each(function()
      source:stop()
    end)

    local function start(path)
      return support.start({ env = { ATOMS_JWKS_URL = source.url .. (path or "/keys"), ATOMS_JWT_SECRET = false } })
    end

    it("verifies bearers once it was fetched", function()
      source:answer("/keys", set_of("ES256"))
      assert.equal(200, ask(start(), keys.ES256:sign(jwt.claims({}))).status)
    end)

    it("is fetched once more for a kid that it does not know, and not again for the next", function()
      source:answer("/keys", set_of("ES256"))
      local gateway = start()
      gateway.env.ATOMS_WORKERS = 1
      gateway:restart()
      assert.equal(200, ask(gateway, keys.ES256:sign(jwt.claims({}))).status)
      local before = #source:requests()
      source:answer("/keys", set_of("ES256", "RS256"))
      assert.equal(200, ask(gateway, keys.RS256:sign(jwt.claims({}))).status)
      assert.equal(before + 1, #source:requests())
      assert.equal(401, ask(gateway, keys.EdDSA:sign(jwt.claims({}))).status)
      assert.equal(before + 1, #source:requests())
    end)

    it("is kept when a later fetch fails or brings nonsense", function()
      source:answer("/keys", set_of("ES256"))
      local gateway = start()
      assert.equal(200, ask(gateway, keys.ES256:sign(jwt.claims({}))).status)
      source:answer("/keys", "no key set", { status = 200 })
      assert.equal(401, ask(gateway, keys.RS256:sign(jwt.claims({}))).status)
      assert.equal(200, ask(gateway, keys.ES256:sign(jwt.claims({ actor = "another" }))).status)
    end)

    it("that cannot be had makes bearers wait and then says 503, never 401", function()
      source:answer("/keys", "", { status = 500 })
      local answer = ask(start(), keys.ES256:sign(jwt.claims({})))
      assert.same({ 503, "keys_unavailable", "later" }, { answer.status, answer.json.code, answer.json.retry })
      assert.is_truthy(answer.headers["retry-after"])
    end)

    it("is not followed through a redirect", function()
      source:answer("/keys", "", { status = 302, headers = { Location = source.url .. "/other" } })
      source:answer("/other", set_of("ES256"))
      assert.equal(503, ask(start(), keys.ES256:sign(jwt.claims({}))).status)
      for _, request in ipairs(source:requests()) do
        assert.equal("GET /keys", request)
      end
    end)

    it("is bounded in size", function()
      source:answer("/keys", set_of("ES256") .. (" "):rep(2000000))
      assert.equal(503, ask(start(), keys.ES256:sign(jwt.claims({}))).status)
    end)

    it("is not fetched for a bearer that is expired or malformed", function()
      source:answer("/keys", set_of("ES256"))
      local gateway = start()
      assert.equal(200, ask(gateway, keys.ES256:sign(jwt.claims({}))).status)
      local before = #source:requests()
      assert.equal(401, ask(gateway, keys.RS256:sign(jwt.claims({ ttl = -100 }))).status)
      assert.equal(401, ask(gateway, "a.b.c").status)
      assert.equal(before, #source:requests())
    end)
  end)

  teardown(support.stop_all)
end)
