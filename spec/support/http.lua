--- An HTTP/1.1 client on a raw socket, on purpose without any library that would repair what is sent or received.
---
---   http.connect({host=, port=, tls=}) → connection
---   connection:send(bytes)                       raw bytes
---   connection:request{method=, path=, headers={Name=value}, body=, chunks={…}}   chunks: a chunked body
---   connection:response(deadline?, is_head?)     {status=, reason=, headers={lower-case name=value}, head=, body=}; or error
---   connection:read_some(deadline)               bytes, or nil and "closed" / "timeout"
---   connection:read_all(deadline?)               everything until the peer closes; text, was_closed
---   connection:call(request) → response
---   connection:is_closed(deadline?)              waits for the peer to close, true when it did
---   connection:close()
---   http.query{…}                                "?a=b&c=d", encoded; a list value repeats its name
---   http.parse_url(url)                          {host=, port=, tls=, base=}

local socket = require("socket")
local clock = require("support.clock")

local http = {}

local Connection = {}
Connection.__index = Connection

function http.encode(text)
  return (tostring(text):gsub("[^%w%-._~@:]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

function http.query(params)
  local names, parts = {}, {}
  for name in pairs(params) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = params[name]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      parts[#parts + 1] = http.encode(name) .. "=" .. http.encode(value)
    end
  end
  return #parts > 0 and "?" .. table.concat(parts, "&") or ""
end

function http.parse_url(url)
  local scheme, rest = url:match("^(https?)://(.+)$")
  assert(scheme, "no http or https URL: " .. url)
  local authority, base = rest:match("^([^/]+)(.*)$")
  local host, port = authority:match("^(.-):(%d+)$")
  host = (host or authority):gsub("^%[", ""):gsub("%]$", "")
  return { host = host, port = tonumber(port) or (scheme == "https" and 443 or 80), tls = scheme == "https", base = base:gsub("/+$", "") }
end

local function wrap_tls(raw, host, options)
  local ssl = require("ssl")
  local params = { mode = "client", protocol = "any", verify = "peer", options = "all", cafile = options.cafile, capath = "/etc/ssl/certs" }
  local secure = assert(ssl.wrap(raw, params))
  secure:sni(host)
  secure:settimeout(clock.seconds)
  assert(secure:dohandshake())
  return secure
end

function http.connect(options)
  local raw = socket.tcp()
  raw:settimeout(clock.seconds)
  assert(raw:connect(options.host or "127.0.0.1", options.port))
  raw:setoption("tcp-nodelay", true)
  local stream = options.tls and wrap_tls(raw, options.host, options) or raw
  return setmetatable({ raw = stream, buffer = "", host = ("%s:%d"):format(options.host or "127.0.0.1", options.port) }, Connection)
end

function Connection:send(bytes)
  self.raw:settimeout(clock.seconds)
  local sent, message = self.raw:send(bytes)
  return sent, message
end

local function head_of(self, request)
  local lines = { ("%s %s HTTP/1.1"):format(request.method or "GET", request.path) }
  local headers = request.headers or {}
  if not headers.Host then
    lines[#lines + 1] = "Host: " .. self.host
  end
  local names = {}
  for name in pairs(headers) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    lines[#lines + 1] = name .. ": " .. headers[name]
  end
  if request.chunks then
    lines[#lines + 1] = "Transfer-Encoding: chunked"
  elseif request.body then
    lines[#lines + 1] = "Content-Length: " .. #request.body
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

function Connection:request(request)
  local parts = { head_of(self, request) }
  for _, chunk in ipairs(request.chunks or {}) do
    parts[#parts + 1] = ("%x\r\n%s\r\n"):format(#chunk, chunk)
  end
  parts[#parts + 1] = request.chunks and "0\r\n\r\n" or request.body or ""
  return self:send(table.concat(parts))
end

--- What has arrived on the socket, without waiting for more than the first byte.
local function receive(self, deadline)
  self.raw:settimeout(clock.left(deadline))
  local first, message, partial = self.raw:receive(1)
  if not first and #(partial or "") == 0 then
    return nil, (message == "timeout" or message == "wantread") and "timeout" or "closed"
  end
  self.raw:settimeout(0)
  local whole, _, rest = self.raw:receive(65536)
  return (first or partial) .. (whole or rest or "")
end

function Connection:read_some(deadline)
  if self.buffer == "" then
    return receive(self, deadline)
  end
  local bytes = self.buffer
  self.buffer = ""
  return bytes
end

local function need(self, deadline)
  local bytes, message = receive(self, deadline)
  if not bytes then
    error(("%s, with %d bytes of an answer: %s"):format(message, #self.buffer, self.buffer:sub(1, 200)), 0)
  end
  self.buffer = self.buffer .. bytes
end

local function take(self, count)
  local bytes = self.buffer:sub(1, count)
  self.buffer = self.buffer:sub(count + 1)
  return bytes
end

local function take_line(self, deadline)
  while true do
    local stop = self.buffer:find("\r\n", 1, true)
    if stop then
      local line = take(self, stop + 1)
      return line:sub(1, -3)
    end
    need(self, deadline)
  end
end

local function take_bytes(self, count, deadline)
  while #self.buffer < count do
    need(self, deadline)
  end
  return take(self, count)
end

local function read_chunks(self, deadline)
  local parts = {}
  while true do
    local size = tonumber(take_line(self, deadline):match("^%x+"), 16)
    if size == 0 then
      while take_line(self, deadline) ~= "" do end
      return table.concat(parts)
    end
    parts[#parts + 1] = take_bytes(self, size, deadline)
    assert(take_line(self, deadline) == "", "a chunk does not end with CRLF")
  end
end

local function parse_head(head)
  local version, status, reason = head:match("^(HTTP/1%.[01]) (%d%d%d) ?([^\r\n]*)\r\n")
  assert(version, "no status line: " .. head:sub(1, 100))
  local headers = {}
  for name, value in head:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
    name = name:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return { status = tonumber(status), reason = reason, headers = headers, head = head }
end

local function take_head(self, deadline)
  while true do
    local _, stop = self.buffer:find("\r\n\r\n", 1, true)
    if stop then
      return parse_head(take(self, stop))
    end
    need(self, deadline)
  end
end

--- The head of the next final response; the body is left unread. 100 Continue is counted in `continues`.
function Connection:response_head(deadline)
  deadline = deadline or clock.deadline()
  local continues = 0
  while true do
    local response = take_head(self, deadline)
    if response.status ~= 100 then
      response.continues = continues
      return response
    end
    continues = continues + 1
  end
end

function Connection:response(deadline, is_head)
  deadline = deadline or clock.deadline()
  local response = self:response_head(deadline)
  local headers = response.headers
  if is_head or response.status == 204 or response.status == 304 then
    response.body = ""
  elseif headers["transfer-encoding"] then
    response.body = read_chunks(self, deadline)
  elseif headers["content-length"] then
    response.body = take_bytes(self, tonumber(headers["content-length"]), deadline)
  else
    local text, was_closed = self:read_all(deadline)
    assert(was_closed, "the body does not end")
    response.body = text
  end
  return response
end

function Connection:call(request)
  self:request(request)
  return self:response(nil, request.method == "HEAD")
end

function Connection:read_all(deadline)
  deadline = deadline or clock.deadline()
  local parts = {}
  while true do
    local bytes, message = self:read_some(deadline)
    if not bytes then
      return table.concat(parts), message == "closed"
    end
    parts[#parts + 1] = bytes
  end
end

function Connection:is_closed(deadline)
  local _, was_closed = self:read_all(deadline)
  return was_closed
end

function Connection:close()
  self.raw:close()
end

return http
