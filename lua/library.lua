--- The modules below lua/atoms/: those that scripts may require, as "atoms.<name>" and in the order in which the guide tells of them, and
--- those that are a client's half, for programs outside; `tools` are for the subcommands of atoms.

return {
  scripts = {
    { name = "lens", about = "lens plans: writing them, changing them, asking them." },
    { name = "schema", about = "checking arguments: what they must be, and a refusal that names the member when they are not." },
    { name = "ops", about = "what a reducer answers." },
    { name = "testing", about = "specs of policies and canvases: commands and views made up for them." },
  },
  tools = { "spec" },
  clients = { "canonical", "fold", "replica", "sha256", "state_hash", "text_op" },
}
