--- The machine-readable contract: every answer and every frame that a spec sees is judged by docs/openapi.yaml and docs/asyncapi.yaml.
---
---   api.check_answer(method, path, response, body?)   error when the document does not know this answer, or the answer breaks its
---                                     schema; a body that was committed must fit the schema of commands
---   api.check_stream_head(response)   the head of an event stream
---   api.check_frame(frame)            a frame of an event stream, whatever its kind
---   api.operations() → {"GET /v1/stream", …}     api.codes() → {code = true}     api.messages() → {resume = true, …}

local json = require("support.json")
local schema = require("support.schema")

local api = {}

local OPENAPI, ASYNCAPI = "openapi.yaml", "asyncapi.yaml"
local documents = schema.load({ [OPENAPI] = "docs/openapi.yaml", [ASYNCAPI] = "docs/asyncapi.yaml" })

local function resolve(name, node)
  while node and node["$ref"] do
    local file, pointer = node["$ref"]:match("^([^#]*)#(/.*)$")
    name = file ~= "" and file or name
    node = schema.at(documents, name, pointer)
  end
  return node, name
end

local function complain(what, where, why, text)
  error(("%s: %s %s\n%s"):format(what, where, why, text:sub(1, 2000)), 0)
end

-- ---- answers ----------------------------------------------------------------------------------------------------------------

local function as_pattern(template)
  return "^" .. template:gsub("[%-.]", "%%%0"):gsub("{[^}]*}", "[^/]+") .. "$"
end

local function find_operation(method, path)
  for template, item in pairs(documents[OPENAPI].paths) do
    if path:gsub("%?.*$", ""):find(as_pattern(template)) then
      return item[method == "HEAD" and "get" or method:lower()], template
    end
  end
end

--- What the document says of an answer; one of a path or method that it does not know can only be a problem.
local function find_response(method, path, status)
  local operation = find_operation(method, path)
  if not operation then
    assert(status >= 400 or method == "OPTIONS", ("%s %s is not documented, and answers %d"):format(method, path, status))
    return documents[OPENAPI].components.responses.Problem
  end
  local found = operation.responses[tostring(status)] or (status >= 400 and operation.responses.default)
  return (resolve(OPENAPI, assert(found, ("%s %s answers %d, which is not documented"):format(method, path, status))))
end

local function check_body(what, content, response)
  local media = response.headers["content-type"]
  local given = content and content[media or ""]
  if not given then
    complain(what, "Content-Type", ("%s is not documented"):format(media), response.body)
  end
  if media == "application/x-ndjson" then
    for line in response.body:gmatch("[^\n]+") do
      local where, why = schema.judge(documents, OPENAPI, documents[OPENAPI].components.schemas.Outcome, json.must(line))
      if where then
        complain(what, where, why, line)
      end
    end
  elseif media:find("[/+]json$") then
    local where, why = schema.judge(documents, OPENAPI, given.schema, json.must(response.body))
    if where then
      complain(what, where, why, response.body)
    end
  end
end

--- Headers that the document names as constants or required by it.
local function check_headers(what, described, response)
  for name, header in pairs(described or {}) do
    local value = response.headers[name:lower()]
    if not value then
      complain(what, name, "is not there", response.head)
    end
    local where, why = schema.judge(documents, OPENAPI, header.schema, tonumber(value) or value)
    if where then
      complain(what, name, why, response.head)
    end
  end
end

local function check_commands(what, body, response)
  local commands = json.is_array(body) and body or { body }
  local answers = json.is_array(response.json) and response.json or { response.json }
  for i, answer in ipairs(answers) do
    if answer.status ~= "refused" then
      local where, why = schema.judge(documents, OPENAPI, documents[OPENAPI].components.schemas.Command, commands[i])
      if where then
        complain(what .. " took a command", where, why, json.encode(commands[i]))
      end
    end
  end
end

function api.check_answer(method, path, response, body)
  local what = ("%s %s → %d"):format(method, path, response.status)
  local described = find_response(method, path, response.status)
  if method == "OPTIONS" and response.status == 204 then
    return
  end
  check_headers(what, described.headers, response)
  if method == "HEAD" then
    return
  end
  check_body(what, described.content, response)
  if type(body) == "table" and path == "/v1/commands" and response.status == 200 then
    check_commands(what, body, response)
  end
end

function api.check_stream_head(response)
  local described = find_response("GET", "/v1/stream", 200)
  check_headers("GET /v1/stream", described.headers, response)
end

-- ---- frames -----------------------------------------------------------------------------------------------------------------

local judged = {}

local function fields_of(frame)
  return json.object({ event = frame.event, id = frame.id, retry = frame.retry })
end

local function judge_part(message, part, value, frame)
  local where, why = schema.judge(documents, ASYNCAPI, message[part], value)
  if where then
    complain(part .. " of a frame", where, why, frame.raw)
  end
end

local function check(frame)
  local is_comment = not (frame.event or frame.id or frame.data or frame.retry)
  if is_comment then
    assert(#frame.comments > 0, "an empty block")
    return
  end
  local name = frame.event or "position"
  local message = documents[ASYNCAPI].components.messages[name]
  if not message then
    complain("a frame", name, "is not documented", frame.raw)
  end
  judge_part(message, "headers", fields_of(frame), frame)
  if message.payload then
    judge_part(message, "payload", assert(frame.json, "a frame without data: " .. frame.raw), frame)
  else
    assert(not frame.data, "data where there should be none: " .. frame.raw)
  end
end

--- The same bytes are judged once.
function api.check_frame(frame)
  if not judged[frame.raw] then
    check(frame)
    judged[frame.raw] = true
  end
end

-- ---- what the documents name ------------------------------------------------------------------------------------------------

function api.operations()
  local list = {}
  for template, item in pairs(documents[OPENAPI].paths) do
    for _, method in ipairs({ "get", "post", "put", "patch", "delete" }) do
      list[#list + 1] = item[method] and (method:upper() .. " " .. template) or nil
    end
  end
  table.sort(list)
  return list
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do
    set[item] = true
  end
  return set
end

function api.codes()
  return set_of(documents[OPENAPI].components.schemas.Problem.properties.code.enum)
end

function api.messages()
  local names = {}
  for name in pairs(documents[ASYNCAPI].components.messages) do
    names[name] = true
  end
  return names
end

return api
