-- tries: a counter in its own module
-- expect: script_failed

local module = { count = 0 }

function module.attack()
  module.count = module.count + 1
  return module.count
end

return module
