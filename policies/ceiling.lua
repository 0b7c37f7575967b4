-- What no tenant's own policies may exceed: a plan is cut to this one, whoever wrote it, and each limit is the smaller of the operator's
-- and this. Pure data. To take something away from everybody at once, narrow it here and reload.

return {
  name = "ceiling",
  version = 1,
  api = 1,
  plan = {
    history = true,
    vision = true,
    presence = true,
    tokens = { read = { "*" }, write = { "*" } },
    blocks = { read = true, write = true },
    graph = { read = true, write = true },
    chat = { read = true, write = true },
    logs = { read = true, write = true },
    events = { "*" },
    commands = { "*" },
  },
  limits = {},
}
