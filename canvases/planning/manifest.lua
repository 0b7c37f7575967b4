-- The planning canvas: an outline of headings, paragraphs and tasks that people and agents write together. Pure data.

return {
  name = "planning",
  version = "1.0.0",
  api = 1,
  title = "Planning",
  harness = "workbench",

  commands = {
    ["planning.add_task"] = {
      title = "Add a task",
      args = {
        id = { type = "string", required = true, max_length = 64, label = "Id of the new block" },
        title = { type = "string", required = true, max_length = 500, label = "What is to be done" },
        under = { type = "string", max_length = 64, label = "Id of the heading that it comes under, as the last" },
        estimate_days = { type = "number", min = 0, max = 365, label = "Estimate in days" },
      },
    },
  },

  tools = {
    { name = "chat", title = "Chat", surface = "ChatRail", command = "chat_send" },
    { name = "add_block", title = "Add", surface = "ToolPop", command = "block.insert" },
    { name = "plan", title = "Plan", surface = "TokenPanel", command = "token.set" },
    { name = "commit", title = "Save a revision", surface = "TopPill", command = "canvas.commit" },
    { name = "details", title = "Details", surface = "ContextPanel", command = "block.update" },
  },

  tokens = {
    ["plan.title"] = { type = "string", default = "", label = "Title", max_length = 200 },
    ["plan.priority"] = { type = "enum", values = { "low", "normal", "high" }, default = "normal", label = "Priority" },
    ["plan.days"] = { type = "integer", min = 1, max = 365, default = 7, label = "Days" },
    ["ui.zoom"] = { type = "number", min = 0.1, max = 8, default = 1, label = "Zoom" },
  },

  -- No `children`: every kind may stand below every other.
  kinds = {
    heading = {
      text = true,
      props = {
        level = { type = "integer", min = 1, max = 3, label = "Level" },
      },
    },
    text = {
      text = true,
      props = {
        style = { type = "enum", values = { "plain", "quote", "code" }, label = "Style" },
      },
    },
    task = {
      text = true,
      props = {
        done = { type = "boolean", label = "Done" },
        due = { type = "string", max_length = 32, label = "Due" },
        assignee = { type = "string", max_length = 64, label = "Assignee" },
        priority = { type = "enum", values = { "low", "normal", "high" }, label = "Priority" },
        estimate_days = { type = "number", min = 0, max = 365, label = "Estimate in days" },
      },
    },
  },

  lens = { when = { { state = "planning" } }, priority = 0 },
}
