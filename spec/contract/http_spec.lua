-- The HTTP surface as such: routes, methods, CORS, keep-alive, pipelining, Expect, sizes. What is hostile stands in spec/hostile.

local support = require("support")
local command, json = support.command, support.json

describe("the HTTP surface", function()
  local gateway, ann, make

  setup(function()
    local config = [[return {
      cors = { origins = { "https://app.example", "http://localhost:5173" }, max_age_s = 77 },
      limits = { max_body_bytes = 4096, max_batch_bytes = 8192, max_batch_commands = 8 },
    }]]
    gateway = support.start({ config = config })
    ann = gateway:bearer({})
    make = command.maker()
    gateway:send(ann, make:mount())
  end)

  teardown(support.stop_all)

  local function call(method, path, headers, bearer)
    return gateway:call({ method = method, path = path, headers = headers, bearer = bearer or false })
  end

  local function state_path()
    return "/v1/state" .. support.http.query(gateway:ids({ run_id = make.run_id }))
  end

  it("answers what is not there with 404, bearer or not", function()
    local paths = { "/", "/v1", "/v1/", "/v1/states", "/v1/state/", "/v1/nexus/search", "/v2/state", "/metrics", "/admin/streams" }
    for _, path in ipairs(paths) do
      local answer = call("GET", path)
      assert.same({ 404, "no_such_route", "never" }, { answer.status, answer.json.code, answer.json.retry }, path)
      assert.equal("application/problem+json", answer.headers["content-type"])
    end
  end)

  it("answers a wrong method with 405 and the right ones", function()
    local routes = { ["/v1/state"] = "GET", ["/v1/stream"] = "GET", ["/v1/commands"] = "POST", ["/healthz"] = "GET" }
    for path, allowed in pairs(routes) do
      for _, method in ipairs({ "DELETE", "PUT", "PATCH", allowed == "GET" and "POST" or "GET" }) do
        local answer = call(method, path)
        assert.same({ 405, "method_not_allowed" }, { answer.status, answer.json.code }, method .. " " .. path)
        assert.is_truthy(answer.headers.allow:find(allowed, 1, true), answer.headers.allow)
      end
    end
  end)

  it("answers HEAD as GET without a body, but not on a stream", function()
    local whole = call("GET", state_path(), nil, ann)
    local head = call("HEAD", state_path(), nil, ann)
    assert.equal(200, head.status)
    assert.equal(whole.headers["content-length"], head.headers["content-length"])
    assert.equal(405, call("HEAD", "/v1/stream").status)
  end)

  it("lets no answer be kept by a cache", function()
    assert.equal("no-store", call("GET", state_path(), nil, ann).headers["cache-control"])
    assert.equal("no-store", call("GET", "/v1/nope").headers["cache-control"])
  end)

  it("answers problems with every member that a client needs", function()
    local answer = gateway:post("/v1/commands", ann, make:tokens({ ["plan.days"] = 0 })).json
    for _, name in ipairs({ "type", "title", "status", "code", "detail", "path", "retry" }) do
      assert.is_not_nil(answer[name], name)
    end
  end)

  it("answers preflights of allowed origins, and of no others", function()
    local headers = { ["Access-Control-Request-Method"] = "POST", ["Access-Control-Request-Headers"] = "authorization" }
    for _, path in ipairs({ "/v1/commands", "/v1/stream", "/v1/streams/w0.x/renew" }) do
      headers.Origin = "https://app.example"
      local answer = call("OPTIONS", path, headers)
      assert.equal(204, answer.status)
      assert.equal("https://app.example", answer.headers["access-control-allow-origin"])
      assert.matches("POST", answer.headers["access-control-allow-methods"])
      for _, name in ipairs({ "authorization", "content%-type", "last%-event%-id" }) do
        assert.matches(name, answer.headers["access-control-allow-headers"]:lower())
      end
      assert.equal("77", answer.headers["access-control-max-age"])
      assert.matches("Origin", answer.headers.vary)
      assert.is_nil(answer.headers["access-control-allow-credentials"])
      local others = { "https://evil.example", "https://app.example.evil.example", "http://app.example", "null" }
      for _, origin in ipairs(others) do
        headers.Origin = origin
        local refused = call("OPTIONS", path, headers)
        assert.is_nil(refused.headers["access-control-allow-origin"], origin)
        assert.is_nil(refused.headers["access-control-allow-methods"], origin)
      end
    end
  end)

  it("names the allowed origin on answers, refusals and streams alike", function()
    local headers = { Origin = "http://localhost:5173" }
    assert.equal(headers.Origin, call("GET", state_path(), headers, ann).headers["access-control-allow-origin"])
    assert.equal(headers.Origin, call("GET", state_path(), headers).headers["access-control-allow-origin"])
    assert.equal(headers.Origin, call("GET", "/v1/nope", headers).headers["access-control-allow-origin"])
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, headers = headers })
    assert.equal(headers.Origin, stream.response.headers["access-control-allow-origin"])
    assert.matches("Origin", stream.response.headers.vary)
    local other = call("GET", state_path(), { Origin = "https://evil.example" }, ann)
    assert.equal(200, other.status)
    assert.is_nil(other.headers["access-control-allow-origin"])
  end)

  it("keeps a connection for many requests, and closes it when asked to", function()
    local connection = gateway:connect()
    for _ = 1, 5 do
      local answer = connection:call({ path = "/healthz" })
      assert.equal(200, answer.status)
    end
    connection:request({ path = "/healthz", headers = { Connection = "close" } })
    assert.equal(200, connection:response().status)
    assert.is_true(connection:is_closed())
  end)

  it("closes after an answer to HTTP/1.0", function()
    local connection = gateway:connect()
    connection:send("GET /healthz HTTP/1.0\r\n\r\n")
    assert.equal(200, connection:response().status)
    assert.is_true(connection:is_closed())
  end)

  it("answers pipelined requests in their order", function()
    local connection, parts = gateway:connect(), {}
    local post = "POST /v1/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
    for i = 1, 20 do
      local body = json.encode(make:tokens({ ["plan.days"] = i }))
      parts[#parts + 1] = post:format(ann, #body, body)
      parts[#parts + 1] = "GET /nope" .. i .. " HTTP/1.1\r\nHost: x\r\n\r\n"
    end
    connection:send(table.concat(parts))
    for _ = 1, 20 do
      assert.equal(200, connection:response().status)
      assert.equal(404, connection:response().status)
    end
    connection:close()
    assert.equal(20, gateway:state(ann, { run_id = make.run_id }).tokens["plan.days"])
  end)

  it("asks for the body of Expect: 100-continue, and not where it is refused before", function()
    local connection = gateway:connect()
    local body = json.encode(make:tokens({ ["plan.days"] = 50 }))
    local head = "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    connection:send(head:format("/v1/commands", ann, #body))
    local go_on = connection:read_some(support.clock.deadline())
    assert.matches("^HTTP/1.1 100 Continue\r\n\r\n$", go_on)
    connection:send(body)
    assert.equal(200, connection:response().status)
    connection:send(head:format("/v1/nope", ann, #body))
    local refused = connection:response()
    assert.same({ 404, 0 }, { refused.status, refused.continues })
    connection:close()
    connection = gateway:connect()
    connection:send(("POST /v1/commands HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n"))
    assert.equal(417, connection:response().status)
    connection:close()
  end)

  it("refuses bodies over the limit with its name and value, told and untold lengths alike", function()
    local big = json.encode(make:tokens({ ["plan.title"] = ("word "):rep(1000) }))
    for _, request in ipairs({ { body = big }, { chunks = { big:sub(1, 3000), big:sub(3001) } } }) do
      request.method, request.path, request.bearer = "POST", "/v1/commands", ann
      local answer = gateway:call(request)
      assert.same({ 413, "body_too_large", "max_body_bytes", 4096 },
                  { answer.status, answer.json.code, answer.json.limit.name, answer.json.limit.value })
    end
    local answer = gateway:call({ method = "POST", path = "/v1/commands", bearer = ann, body = (" "):rep(8193) })
    assert.same({ 413, "body_too_large", 8192 }, { answer.status, answer.json.code, answer.json.limit.value })
  end)

  it("refuses batches of too many commands or none", function()
    local list = json.array()
    local none = gateway:post("/v1/commands", ann, "[]")
    assert.same({ 400, "empty_batch" }, { none.status, none.json.code })
    for i = 1, 9 do
      list[i] = make:tokens({ ["plan.days"] = i })
    end
    local answer = gateway:post("/v1/commands", ann, list)
    assert.same({ 413, "batch_too_long", "max_batch_commands", 8 },
                { answer.status, answer.json.code, answer.json.limit.name, answer.json.limit.value })
  end)

  it("refuses a body of another media type", function()
    local answer = gateway:post("/v1/commands", ann, json.encode(make:mount()), {}, { ["Content-Type"] = "text/plain" })
    assert.same({ 415, "unsupported_media_type" }, { answer.status, answer.json.code })
    local with_charset = { ["Content-Type"] = "application/json; charset=utf-8" }
    assert.equal(200, gateway:post("/v1/commands", ann, json.encode(make:mount()), {}, with_charset).status)
  end)

  it("refuses a bearer that comes with a Host of another kind no more than any", function()
    assert.equal(200, call("GET", state_path(), { Host = "gateway.example" }, ann).status)
  end)

  it("answers health and readiness on the public listener, and nothing more of operations", function()
    assert.same({ 200, '{"status":"alive"}' }, { call("GET", "/healthz").status, call("GET", "/healthz").body })
    assert.same({ 200, '{"status":"ready"}' }, { call("GET", "/readyz").status, call("GET", "/readyz").body })
    assert.equal(404, call("GET", "/metrics", { ["X-Atoms-Admin"] = "1" }).status)
  end)
end)
