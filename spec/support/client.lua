--- A client of one deployment, at a URL: what specs of the contract talk through. `gateway` is one that also owns the process behind it.
---
---   client.new{url=, scope={…}, bearer=}             scope: ids that every request carries unless it names others; bearer: the default one
---   client:call{method=, path=, bearer=, headers=, body=, params=} → response, with `.json` when the body is JSON; keeps its connection
---   client:get(path, bearer, params) / client:post(path, bearer, body, params, headers)    body: text, or a table that is encoded
---   client:stream{bearer=, canvas_id=, cursor=, last_event_id=, headers=, …scope ids} → an sse stream on its own connection
---   client:send(bearer, command | {command, …}) → the decoded answer; an error unless 200
---   client:send_all(bearer, commands) → the answers of a list of any length, sent as batches, each of which must have been committed
---   client:state(bearer, params) / client:events(bearer, params) → the decoded answer; an error unless 200
---   client:connect() → a raw http connection
---   client:ids(more) → the scope's ids as a table, changed and added to by `more`; json.null or false takes one away

local api = require("support.api")
local http = require("support.http")
local json = require("support.json")
local sse = require("support.sse")

local client = {}

local Client = {}
Client.__index = Client
client.Client = Client

function client.new(options)
  local self = { base = http.parse_url(options.url), scope = options.scope or {}, default_bearer = options.bearer }
  return setmetatable(self, Client)
end

function Client:connect()
  return http.connect(self.base)
end

function Client:ids(more)
  local ids = {}
  for _, source in ipairs({ self.scope, more or {} }) do
    for name, value in pairs(source) do
      ids[name] = value
      if value == json.null or value == false then
        ids[name] = nil
      end
    end
  end
  return ids
end

local function headers_of(self, request)
  local headers = {}
  local bearer = request.bearer
  if bearer == nil then
    bearer = self.default_bearer
  end
  if bearer then
    headers.Authorization = "Bearer " .. bearer
  end
  if request.body then
    headers["Content-Type"] = "application/json"
  end
  for name, value in pairs(request.headers or {}) do
    headers[name] = value or nil
  end
  return headers
end

local function exchange(self, request)
  local is_reused = self.connection ~= nil
  self.connection = self.connection or self:connect()
  local ok, response = pcall(self.connection.call, self.connection, request)
  if not ok and is_reused then -- the other side may have closed it meanwhile
    self.connection:close()
    self.connection = self:connect()
    ok, response = pcall(self.connection.call, self.connection, request)
  end
  if not ok or response.headers.connection == "close" then
    self.connection:close()
    self.connection = nil
  end
  if not ok then
    error(response, 0)
  end
  return response
end

function Client:call(request)
  local body = request.body
  if type(body) == "table" then
    body = json.encode(body)
  end
  local response = exchange(self, {
    method = request.method or "GET",
    path = self.base.base .. request.path .. http.query(request.params or {}),
    headers = headers_of(self, request),
    body = body,
    chunks = request.chunks,
  })
  if (response.headers["content-type"] or ""):find("[/+]json$") and response.body ~= "" then
    response.json = json.must(response.body)
  end
  api.check_answer(request.method or "GET", request.path, response, request.body)
  return response
end

function Client:get(path, bearer, params)
  return self:call({ path = path, bearer = bearer, params = params })
end

function Client:post(path, bearer, body, params, headers)
  return self:call({ method = "POST", path = path, bearer = bearer, body = body, params = params, headers = headers })
end

local stream_options = { bearer = true, headers = true, last_event_id = true }

function Client:stream(options)
  local more = {}
  for name, value in pairs(options) do
    more[name] = not stream_options[name] and value or nil
  end
  local headers = headers_of(self, { bearer = options.bearer, headers = options.headers })
  headers["Last-Event-ID"] = options.last_event_id
  headers.Accept = "text/event-stream"
  return sse.open(self:connect(), { path = self.base.base .. "/v1/stream" .. http.query(self:ids(more)), headers = headers })
end

local function must(response, level)
  if response.status ~= 200 then
    error(("%d: %s"):format(response.status, response.body), level + 1)
  end
  return response.json
end

function Client:send(bearer, body, params)
  return must(self:post("/v1/commands", bearer, body, params), 2)
end

local BATCH = 64

function Client:send_all(bearer, commands)
  local answers = {}
  for from = 1, #commands, BATCH do
    for _, answer in ipairs(self:send(bearer, json.array(table.move(commands, from, math.min(from + BATCH - 1, #commands), 1, {})))) do
      if answer.status ~= "committed" then
        error(json.encode(answer), 2)
      end
      answers[#answers + 1] = answer
    end
  end
  return answers
end

function Client:state(bearer, more)
  return must(self:get("/v1/state", bearer, self:ids(more)), 2)
end

function Client:events(bearer, more)
  return must(self:get("/v1/events", bearer, self:ids(more)), 2)
end

return client
