--- The tokens of a streamed message as a chunked NDJSON body that is written piece by piece.
---
---   local upload = uploads.open(gateway, bearer, message_id, ids)      ids: the scope, with its run
---   upload:line{text=, offset=, end=}  upload:write(bytes)             one chunk each
---   upload:finish() → response                                         the body ends; response.json
---   upload:response() → response                                       what comes without an end of the body
---   upload.connection                                                  the raw http connection

local http = require("support.http")
local json = require("support.json")

local uploads = {}

local Upload = {}
Upload.__index = Upload

local HEAD = "POST /v1/chat/%s/tokens%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-ndjson\r\n"
  .. "Transfer-Encoding: chunked\r\n\r\n"

function uploads.open(gateway, bearer, message_id, ids)
  local connection = gateway:connect()
  connection:send(HEAD:format(message_id, http.query(ids), bearer))
  return setmetatable({ connection = connection }, Upload)
end

function Upload:write(bytes)
  return self.connection:send(("%x\r\n%s\r\n"):format(#bytes, bytes))
end

function Upload:line(values)
  return self:write(json.encode(json.object(values)) .. "\n")
end

function Upload:response()
  local response = self.connection:response()
  response.json = response.body ~= "" and json.must(response.body) or nil
  return response
end

function Upload:finish()
  self.connection:send("0\r\n\r\n")
  return self:response()
end

return uploads
