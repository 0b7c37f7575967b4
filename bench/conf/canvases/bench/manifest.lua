-- A canvas to measure with: Tokens that hold a payload of any size which a benchmark asks for. Pure data.

return {
  name = "bench",
  version = "1.0.0",
  api = 1,
  title = "Benchmark",
  harness = "workbench",

  tools = {},

  tokens = {
    ["plan.title"] = { type = "string", default = "", label = "Payload", max_length = 8192 },
    ["plan.days"] = { type = "integer", min = 1, max = 365, default = 7, label = "Days" },
    ["plan.priority"] = { type = "string", default = "", label = "Priority" },
    ["ui.zoom"] = { type = "number", min = 0.1, max = 8, default = 1, label = "Zoom" },
  },

  kinds = {
    text = { text = true, props = {} },
  },

  lens = { when = { { state = "planning" } }, priority = 0 },
}
