-- Who may come in: bearers right and wrong, and scopes that they cover or do not.

local support = require("support")
local jwt, json, command = support.jwt, support.json, support.command

describe("a bearer", function()
  local gateway, make

  setup(function()
    gateway = support.start({ env = { ATOMS_MODES = "dev", ATOMS_JWT_ISSUER = "https://issuer.example", ATOMS_JWT_AUDIENCE = "atoms" } })
    make = command.maker()
    gateway.connection = nil
  end)

  teardown(support.stop_all)

  local function claims(options)
    options = options or {}
    options.extra = options.extra or {}
    options.extra.iss = options.extra.iss or "https://issuer.example"
    options.extra.aud = options.extra.aud or "atoms"
    return jwt.claims(options)
  end

  local function sign(made, header)
    return jwt.hs256(made, gateway.secret, header)
  end

  local function without(made, ...)
    for _, name in ipairs({ ... }) do
      made[name] = nil
    end
    return made
  end

  local function ask(bearer, more)
    local ids = gateway:ids({ run_id = make.run_id })
    for name, value in pairs(more or {}) do
      ids[name] = value
    end
    return gateway:get("/v1/state", bearer, ids)
  end

  local function assert_unauthorized(bearer, code)
    local answer = ask(bearer)
    assert.equal(401, answer.status)
    assert.equal("auth", answer.json.retry)
    assert.matches("^Bearer", answer.headers["www-authenticate"])
    if code then
      assert.equal(code, answer.json.code)
    end
    assert.is_nil(answer.body:find(bearer and bearer:sub(-20) or "\0", 1, true), "the answer repeats the bearer")
    return answer
  end

  it("that is signed and covers the scope comes in", function()
    assert.equal(200, ask(sign(claims())).status)
  end)

  it("that is missing, empty or of another scheme is refused", function()
    assert_unauthorized(false, "bearer_missing")
    for _, value in ipairs({ "Basic YTpi", "Bearer", "bearer ", "Token x" }) do
      local answer = gateway:call({ path = "/v1/state", bearer = false, headers = { Authorization = value }, params = gateway:ids({}) })
      assert.equal(401, answer.status, value)
    end
  end)

  it("in the query does not count", function()
    local answer = gateway:get("/v1/state", false, gateway:ids({ access_token = sign(claims()), token = sign(claims()) }))
    assert.equal(401, answer.status)
  end)

  for name, make_bearer in pairs({
    ["no text of a JWT"] = function() return "nonsense" end,
    ["two parts"] = function() return "a.b" end,
    ["four parts"] = function() return sign(claims()) .. ".x" end,
    ["an empty signature"] = function() return sign(claims()):match("^(.*%.)[^.]*$") end,
    ["padding"] = function() return sign(claims()) .. "=" end,
    ["a header that is no JSON"] = function() return jwt.base64url("x") .. sign(claims()):match("(%..*)$") end,
    ["a payload that is no object"] = function() return sign("[]") end,
    ["a payload with a duplicate claim"] = function()
      return sign((json.encode(claims()):gsub("^{", '{"sub":"eve",')))
    end,
    ["a crit header"] = function() return sign(claims(), { alg = "HS256", crit = json.array({ "exp" }), exp = 1 }) end,
    ["more than 8 KiB"] = function() return sign(claims({ extra = { filler = ("x"):rep(9000) } })) end,
  }) do
    it("of " .. name .. " is refused", function()
      assert_unauthorized(make_bearer())
    end)
  end

  it("with a wrong signature is refused", function()
    local good = sign(claims())
    assert_unauthorized(jwt.hs256(claims(), gateway.secret .. "x"), "bearer_signature")
    local last = good:sub(-2, -2) == "A" and "B" or "A"
    assert_unauthorized(good:sub(1, -3) .. last .. good:sub(-1), "bearer_signature")
    local head, _, signature = good:match("^([^.]+)%.([^.]+)%.([^.]+)$")
    assert_unauthorized(head .. "." .. jwt.base64url(json.encode(claims({ role = "owner" }))) .. "." .. signature, "bearer_signature")
  end)

  it("without an algorithm, or with the algorithm none in any spelling, is refused", function()
    for _, alg in ipairs({ "none", "None", "NONE", "nOnE" }) do
      assert_unauthorized(jwt.assemble({ alg = alg, typ = "JWT" }, claims(), ""))
      assert_unauthorized(jwt.hs256(claims(), gateway.secret, { alg = alg }))
    end
    assert_unauthorized(jwt.hs256(claims(), gateway.secret, { typ = "JWT" }))
  end)

  it("that names another algorithm than its key has is refused", function()
    for _, alg in ipairs({ "HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", "" }) do
      assert_unauthorized(jwt.hs256(claims(), gateway.secret, { alg = alg }))
    end
  end)

  it("that is expired is refused, beyond a small leeway", function()
    assert_unauthorized(sign(claims({ ttl = -60 })), "bearer_expired")
    assert.equal(200, ask(sign(claims({ ttl = -1 }))).status)
  end)

  it("that expires between two requests of one connection is refused from then on, and a fresh one is taken there", function()
    local connection, path = gateway:connect(), "/v1/state" .. support.http.query(gateway:ids({ run_id = make.run_id }))
    local function status_of(bearer)
      local answer = connection:call({ path = path, headers = { Authorization = "Bearer " .. bearer } })
      return answer.status, answer.status ~= 200 and json.must(answer.body).code or nil
    end
    local old = sign(claims({ ttl = -3 })) -- the leeway is 5 s
    assert.equal(200, status_of(old))
    support.clock.until_true("the end of the bearer", function()
      return status_of(old) == 401
    end)
    assert.same({ 401, "bearer_expired" }, { status_of(old) })
    assert.equal(200, status_of(sign(claims())))
    assert.same({ 401, "bearer_expired" }, { status_of(old) })
    connection:close()
  end)

  it("that is not valid yet is refused", function()
    assert_unauthorized(sign(claims({ extra = { nbf = os.time() + 60 } })), "bearer_not_yet_valid")
    assert.equal(200, ask(sign(claims({ extra = { nbf = os.time() - 1 } }))).status)
  end)

  it("of another issuer or audience is refused", function()
    assert_unauthorized(sign(claims({ extra = { iss = "https://other.example" } })), "bearer_claims")
    assert_unauthorized(sign(claims({ extra = { aud = "other" } })), "bearer_claims")
    assert_unauthorized(sign(without(claims(), "iss")), "bearer_claims")
    assert_unauthorized(sign(without(claims(), "aud")), "bearer_claims")
    assert.equal(200, ask(sign(claims({ extra = { aud = json.array({ "other", "atoms" }) } }))).status)
  end)

  it("without exp, sub, tenant or role is refused", function()
    assert_unauthorized(sign(without(claims(), "exp")), "bearer_claims")
    assert_unauthorized(sign(without(claims(), "sub")), "bearer_claims")
    assert_unauthorized(sign(without(claims(), "app_metadata")), "bearer_claims")
    for _, name in ipairs({ "tenant_id", "role" }) do
      local made = claims()
      made.app_metadata[name] = nil
      local answer = assert_unauthorized(sign(made), "bearer_claims")
      assert.equal("/app_metadata/" .. name, answer.json.path)
    end
  end)

  it("with claims of a wrong kind is refused", function()
    for name, value in pairs({ tenant_id = "a/b", role = 7, kind = "robot", modes = "dev", projects = { "a", 1 }, tokens = "plan.*" }) do
      local made = claims()
      made.app_metadata[name] = type(value) == "table" and json.array(value) or value
      assert_unauthorized(sign(made), "bearer_claims")
    end
    local made = claims()
    made.exp = tostring(made.exp)
    assert_unauthorized(sign(made), "bearer_claims")
  end)

  it("gains nothing from what its user may write: user_metadata and bare claims", function()
    local made = claims({ role = "viewer" })
    made.user_metadata = json.object({ tenant_id = "globex", role = "owner", modes = json.array({ "dev" }) })
    made.role, made.tenant_id = "owner", "globex"
    local bearer = sign(made)
    assert.equal(403, ask(bearer, { tenant_id = "globex" }).status)
    assert.equal(403, gateway:post("/v1/commands", bearer, make:mount()).status)
    made.app_metadata = nil
    assert_unauthorized(sign(made), "bearer_claims")
  end)

  it("of a role that is not known is let into nothing", function()
    local answer = ask(sign(claims({ role = "admin" })))
    assert.same({ 403, "not_allowed" }, { answer.status, answer.json.code })
  end)

  it("of a viewer reads and does not write", function()
    local viewer = sign(claims({ role = "viewer" }))
    assert.equal(200, ask(viewer).status)
    local answer = gateway:post("/v1/commands", viewer, make:mount())
    assert.same({ 403, "not_allowed" }, { answer.status, answer.json.code })
  end)

  it("is told alike that it does not cover a scope, whether that exists or not", function()
    local owner = sign(claims({ tenant = "globex", role = "owner" }))
    local there = command.maker({ tenant_id = "globex" })
    gateway:send(owner, there:mount())
    local bearer = sign(claims({ projects = json.array({ "p1" }), surfaces = json.array({ "web" }), apps = json.array({ "demo" }) }))
    local bodies = {}
    for _, more in ipairs({
      { tenant_id = "globex", run_id = there.run_id }, { tenant_id = "globex" }, { tenant_id = "nobody" }, { project_id = "p2" },
      { surface_id = "mobile" }, { app_id = "other" }, { mode = "staging" },
    }) do
      local answer = ask(bearer, more)
      assert.equal(403, answer.status)
      bodies[answer.body] = true
    end
    assert.is_nil(next(bodies, next(bodies)), "they are not all alike")
  end)

  it("that covers a mode which this process does not serve is told so", function()
    local answer = ask(sign(claims({ modes = json.array({ "dev", "production" }) })), { mode = "production" })
    assert.same({ 403, "mode_not_served", "mode" }, { answer.status, answer.json.code, (answer.json.path:gsub("^%W", "")) })
  end)

  it("without modes covers dev, and one with an empty list nothing", function()
    assert.equal(200, ask(sign(claims())).status)
    assert.equal(403, ask(sign(claims({ modes = json.array() }))).status)
    assert.equal(403, ask(sign(claims({ projects = json.array() }))).status)
  end)

  it("is judged the same on streams, commands and reads", function()
    local ids = gateway:ids({ run_id = make.run_id })
    local foreign = sign(claims({ tenant = "globex" }))
    for _, bearer in ipairs({ false, jwt.none(claims()), foreign }) do
      local expected = bearer == foreign and 403 or 401
      assert.equal(expected, gateway:get("/v1/stream", bearer, ids).status)
      assert.equal(expected, gateway:get("/v1/events", bearer, ids).status)
      assert.equal(expected, gateway:get("/v1/state", bearer, ids).status)
      assert.equal(expected, gateway:post("/v1/commands", bearer, make:mount()).status)
    end
  end)

  it("never shows up in the log", function()
    local bearer = sign(claims({ actor = "logged" }))
    ask(bearer)
    gateway:get("/v1/state", false, gateway:ids({ access_token = bearer }))
    assert.is_nil(gateway:errors():find(bearer:sub(-30), 1, true))
    assert.is_nil(gateway:errors():find(gateway.secret, 1, true))
  end)
end)

describe("atoms token", function()
  local gateway

  setup(function()
    gateway = support.start({})
  end)

  teardown(support.stop_all)

  it("prints a bearer that the gateway takes", function()
    local bearer = gateway:minted({ "--tenant", "acme", "--actor", "ann", "--kind", "user", "--role", "editor" })
    assert.equal(200, gateway:get("/v1/state", bearer, gateway:ids({})).status)
  end)

  it("prints one that is as narrow as it was asked to be", function()
    local narrow = { "--project", "p1", "--mode", "dev", "--ttl", "60" }
    local bearer = gateway:minted({ "--tenant", "acme", "--actor", "ann", "--role", "viewer", table.unpack(narrow) })
    assert.equal(200, gateway:get("/v1/state", bearer, gateway:ids({})).status)
    assert.equal(403, gateway:get("/v1/state", bearer, gateway:ids({ project_id = "p2" })).status)
    local stream = gateway:stream({ bearer = bearer })
    local left = stream:expect("resume").json.data.expires_at
    assert.is_true(left > os.date("!%Y-%m-%dT%H:%M:%S") and left < os.date("!%Y-%m-%dT%H:%M:%S", os.time() + 62))
  end)

  it("works with the secret that the gateway made for itself", function()
    local own = support.start({ env = { ATOMS_JWT_SECRET = false } })
    local bearer = own:minted({ "--tenant", "acme", "--actor", "ann", "--role", "editor" })
    assert.equal(200, own:get("/v1/state", bearer, own:ids({})).status)
    assert.equal(401, own:get("/v1/state", gateway:bearer({}), own:ids({})).status)
  end)

  it("refuses what would be no use", function()
    for _, argv in ipairs({
      {}, { "--tenant", "acme" }, { "--tenant", "acme", "--actor", "ann" }, { "--tenant", "a/b", "--actor", "ann", "--role", "editor" },
      { "--tenant", "acme", "--actor", "ann", "--role", "editor", "--kind", "robot" },
      { "--tenant", "acme", "--actor", "ann", "--role", "editor", "--ttl", "0" }, { "--tenent", "acme" },
    }) do
      local result = gateway:program({ "token", table.unpack(argv) })
      assert.is_true(result.code ~= 0 and result.code < 90, result.err)
      assert.equal("", result.out)
      assert.matches("^atoms token: ", result.err)
    end
  end)
end)
