--- Requests and answers as bytes, for specs that send what no client library would.
---
---   wire.request{method=, path=, headers={"Name: value", …}, body=} → bytes; Host and Content-Length are added unless told otherwise
---       host=false: no Host · length=false: no Content-Length
---   wire.chunked(parts) → a chunked body
---   wire.answers(bytes) → {{status=, headers=, body=, code=, limit=, json=}, …}; an error unless the bytes are whole answers, nothing else
---   wire.talk(gateway, pieces, options?) → answers, was_closed
---       pieces: one text or a list, sent one by one, each read by the gateway before the next goes out (needs one worker)
---       options: count= stop after that many final answers instead of at the close · seconds= · is_head= the answers have no bodies
---   wire.codes(answers) → "200 400 bad_header": statuses, and codes where there are some
---   wire.command(bearer, command, headers?) → bytes of a POST /v1/commands that carries it · wire.post(bearer, body): the same of a text
---   wire.parse_answer(text, at, is_head?) → answer, place behind it; nil when it is not whole

local clock = require("support.clock")
local json = require("support.json")

local wire = {}

function wire.request(options)
  local lines = { ("%s %s HTTP/1.1"):format(options.method or "GET", options.path) }
  if options.host ~= false then
    lines[#lines + 1] = "Host: " .. (options.host or "localhost")
  end
  for _, header in ipairs(options.headers or {}) do
    lines[#lines + 1] = header
  end
  if options.body and options.length ~= false then
    lines[#lines + 1] = "Content-Length: " .. #options.body
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (options.body or "")
end

function wire.chunked(parts)
  local out = {}
  for _, part in ipairs(parts) do
    out[#out + 1] = ("%x\r\n%s\r\n"):format(#part, part)
  end
  return table.concat(out) .. "0\r\n\r\n"
end

function wire.command(bearer, command, headers)
  local all = { "Authorization: Bearer " .. bearer, "Content-Type: application/json" }
  table.move(headers or {}, 1, #(headers or {}), #all + 1, all)
  return wire.request({ method = "POST", path = "/v1/commands", headers = all, body = json.encode(command) })
end

function wire.post(bearer, body)
  local headers = { "Authorization: Bearer " .. bearer, "Content-Type: application/json" }
  return wire.request({ method = "POST", path = "/v1/commands", headers = headers, body = body })
end

-- ---- answers ---------------------------------------------------------------------------------------------------------------------------

local function parse_headers(head)
  local headers = {}
  for line in head:gmatch("\r\n([^\r\n]+)") do
    local name, value = line:match("^([%w%-]+): ([^\r\n]*)$")
    assert(name, "a malformed header line: " .. line)
    headers[name:lower()] = value
  end
  return headers
end

function wire.parse_answer(text, at, is_head)
  local stop = select(2, text:find("\r\n\r\n", at, true))
  if not stop then
    return nil
  end
  local head = text:sub(at, stop - 4)
  local status = tonumber(head:match("^HTTP/1%.1 (%d%d%d) [^\r\n]+") or error("no status line: " .. head:sub(1, 200)))
  local headers = parse_headers(head)
  local length = tonumber(headers["content-length"] or "0")
  if is_head or status == 100 or status == 204 then
    length = 0
  end
  if #text < stop + length then
    return nil
  end
  local answer = { status = status, headers = headers, body = text:sub(stop + 1, stop + length) }
  if (headers["content-type"] or ""):find("json$") and answer.body ~= "" then
    answer.json = json.must(answer.body)
    answer.code, answer.limit = answer.json.code, answer.json.limit
  end
  return answer, stop + length + 1
end

local function parse_all(text, is_head)
  local answers, at = {}, 1
  while at <= #text do
    local answer, after = wire.parse_answer(text, at, is_head)
    if not answer then
      return answers, text:sub(at)
    end
    answers[#answers + 1] = answer
    at = after
  end
  return answers, ""
end

function wire.answers(text, is_head)
  local answers, rest = parse_all(text, is_head)
  assert(rest == "", "half an answer: " .. rest:sub(1, 200))
  return answers
end

function wire.codes(answers)
  local words = {}
  for _, answer in ipairs(answers) do
    words[#words + 1] = tostring(answer.status)
    words[#words + 1] = answer.code
  end
  return table.concat(words, " ")
end

-- ---- talking ---------------------------------------------------------------------------------------------------------------------------

--- Once a later request on another connection is answered, the one worker has read what was sent before.
local function await_read(gateway)
  gateway.witness = gateway.witness or gateway:connect()
  gateway.witness:call({ path = "/healthz" })
end

local function send_pieces(gateway, connection, pieces)
  if type(pieces) == "string" then
    return connection:send(pieces)
  end
  for i, piece in ipairs(pieces) do
    if piece ~= "" and not connection:send(piece) then
      return -- it was closed on us; what it said is still to be read
    end
    if i < #pieces then
      await_read(gateway)
    end
  end
end

local function count_final(answers)
  local count = 0
  for _, answer in ipairs(answers) do
    count = count + (answer.status == 100 and 0 or 1)
  end
  return count
end

function wire.talk(gateway, pieces, options)
  options = options or {}
  local connection = gateway:connect()
  send_pieces(gateway, connection, pieces)
  local deadline, text, was_closed = clock.deadline(options.seconds), "", false
  while not (options.count and count_final((parse_all(text, options.is_head))) >= options.count) do
    local bytes, message = connection:read_some(deadline)
    if not bytes then
      was_closed = message == "closed"
      assert(was_closed, ("neither closed nor %s answers: %q"):format(options.count or "all", text:sub(1, 300)))
      break
    end
    text = text .. bytes
  end
  connection:close()
  return wire.answers(text, options.is_head), was_closed
end

return wire
