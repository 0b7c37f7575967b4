-- What the tenants of this gateway have, as pure data: mode dev only. "*" is for every tenant, or project, that is not named.
-- ATOMS_REGISTRY_FILE names another file.

return {
  tenants = {
    ["*"] = {
      title = "Any tenant of a laptop",

      apps = { demo = { title = "Demo" } },
      surfaces = { web = { title = "Web" } },

      flows = {
        {
          flow_id = "demo",
          title = "Plan, write, review",

          nodes = {
            { id = "plan", kind = "agent", label = "Make a plan" },
            { id = "write", kind = "agent", label = "Write it down", props = { canvas_id = "plan" } },
            { id = "review", kind = "user", label = "Review" },
          },

          edges = {
            { id = "plan-write", from = "plan", to = "write" },
            { id = "write-review", from = "write", to = "review" },
            { id = "review-plan", from = "review", to = "plan", label = "once more" },
          },

          -- Mounted in this order; CanvasLens picks the active one by the run's state.
          canvases = {
            { canvas_id = "plan", canvas_type = "planning" },
          },
        },
      },
    },
  },
}
