-- A message says something, or is about to.

return {
  name = "chat",
  version = 1,
  api = 1,
  commands = { "chat_send" },
  validate = function(command)
    local args = command.args
    if not args.stream and (args.text or "") == "" then
      return nil, { code = "empty_message", message = "a message that is not streamed needs a text", path = "/text" }
    end
    return true
  end,
}
