-- Who sees and writes what. `lens` is asked once per connection and answers a plan (lua/atoms/lens.lua says what one may hold); nil admits
-- nobody. Nothing is granted that is not written here.

local lens = require("atoms.lens")

-- What bears this label of `vis`, and Tokens of this prefix, are the team's own business.
local INTERNAL = { "internal" }
local INTERNAL_TOKENS = { "internal.*" }

local everything = lens.everything()

local plans = {
  -- People who run the project: all of it, past and media included.
  owner = lens.extend(everything, { vision = true, history = true }),
  -- People who work on it.
  editor = lens.extend(everything, { vision = true, history = true }),
  -- People who look: what is not internal, media included; they change nothing.
  viewer = lens.extend(lens.read_only(lens.hide_vis(lens.hide_tokens(everything, INTERNAL_TOKENS), INTERNAL)), {
    vision = true,
    history = true,
    logs = { read = false },
  }),
  -- Agents that plan: Tokens and state. Planning costs no vision.
  planner = lens.extend(everything, { vision = false, history = true }),
  -- Agents that direct: they also see and resolve media sidecars.
  director = lens.extend(everything, { vision = true, history = true }),
  -- The platform's own services.
  service = lens.extend(everything, { vision = true, history = true }),
}

return {
  name = "token_lens",
  version = 1,
  api = 1,
  lens = function(actor)
    return plans[actor.role]
  end,
}
