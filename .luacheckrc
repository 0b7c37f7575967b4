std = "lua54"
max_line_length = 140
cache = false
exclude_files = { "build/", "spec/sandbox/attacks/", "node_modules/", "web/node_modules/" }

-- Manifests and policies are plain modules: they return a table and touch no global.
files["lua/types/"] = { max_line_length = false }
files["policies/spec/"] = { std = "lua54+busted" }
files["canvases/*/spec/"] = { std = "lua54+busted" }
files["spec/"] = { std = "lua54+busted" }
