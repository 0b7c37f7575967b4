--- The harness of the specs that drive the real program over real sockets. Run busted from the root of the tree with Lua 5.4:
---
---     lua5.4 /usr/bin/busted spec/contract
---
--- (`.busted` puts spec/ on the module path.) ATOMS_BIN names the program (default build/asan/atoms, the one with sanitizers);
--- ATOMS_SPEC_SECONDS is how long anything may be waited for (default 20).
---
---     local support = require("support")
---     local gateway = support.start({ env = { ATOMS_WORKERS = 1 }, config = "return { limits = { heartbeat_ms = 100 } }" })
---     local ann = gateway:bearer({ actor = "ann" })                  -- a token of `atoms token`
---     local answer = gateway:post("/v1/commands", ann, body)         -- {status=, headers=, body=text, json=decoded}
---     local stream = gateway:stream({ bearer = ann, run_id = "r1", canvas_id = "c1", cursor = "earliest" })
---     local frame = stream:next()                                    -- {event=, id=, json=, raw=, comments=}; deadline or error
---     gateway:kill(); gateway:restart()                              -- kill -9; same data folder, same settings, same ports are not kept
---     support.stop_all()                                             -- in after_each / teardown: ends what was started, checks sanitizers
---
--- Modules, each with its API in its head comment:
---   gateway   starts, stops, kills and restarts the program; requests, streams, bearers in one place
---   http      an HTTP/1.1 client on a raw socket: keep-alive, chunked bodies, raw bytes
---   sse       an event stream: an independent parser, frames, waiting with deadlines
---   json      a strict decoder and an encoder that keep [] and {} apart and know null
---   jwt       bearers of every kind, right and wrong: HS256 and none in Lua, RS256, ES256 and EdDSA by the openssl program
---   command   commands of the contract as tables; unique ids
---   view      folds frames and checkpoints into the state that a client would show
---   api       checks answers and events against docs/openapi.yaml and docs/asyncapi.yaml (schema.lua does the judging)
---   shell     runs a program and gives its output; temporary folders
---   clock     deadlines; the only place that ever pauses

local gateway = require("support.gateway")

local support = {
  start = gateway.start,
  stop_all = gateway.stop_all,
  http = require("support.http"),
  sse = require("support.sse"),
  json = require("support.json"),
  jwt = require("support.jwt"),
  command = require("support.command"),
  view = require("support.view"),
  api = require("support.api"),
  shell = require("support.shell"),
  clock = require("support.clock"),
}

return support
