-- Medians and ratios of the results that bench/run left in a folder: a table for people, summary.json for scripts.
--   lua5.4 bench/report.lua DIR
--   lua5.4 bench/report.lua --meta FILE COMMAND FRAME_BYTES    notes where and how a run took place
--   lua5.4 bench/report.lua --frame FILE                       prints the frame size of one exact result, or 0

local cjson = require("cjson")

local function read_all(path)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local function write_json(path, value)
  local file = assert(io.open(path, "w"))
  file:write(cjson.encode(value), "\n")
  file:close()
end

local function first_line(command)
  local pipe = io.popen("(" .. command .. ") 2>&1")
  local line = pipe and pipe:read("l")
  if pipe then pipe:close() end
  return line or ""
end

local function write_meta(path, command, frame_bytes)
  write_json(path, {
    command = command,
    frame_bytes = tonumber(frame_bytes),
    date = os.date("!%Y-%m-%dT%H:%M:%SZ"),
    commit = first_line("git rev-parse --short HEAD"),
    is_dirty = first_line("git status --porcelain -uno") ~= "",
    kernel = first_line("uname -r"),
    processor = first_line("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo"),
    processors = tonumber(first_line("nproc")),
    nginx = first_line("nginx -v"),
  })
end

local function each_line(path)
  return (read_all(path) or ""):gmatch("[^\n]+")
end

-- runs[row][server] = list of results
local function load_runs(path)
  local runs, wrong = {}, {}
  for line in each_line(path) do
    local result = cjson.decode(line)
    local row, server, rep = result.name:match("^([^/]+)/([^/]+)/(%d+)$")
    runs[row] = runs[row] or {}
    runs[row][server] = runs[row][server] or {}
    table.insert(runs[row][server], result)
    if not result.is_exact then table.insert(wrong, { row = row, server = server, rep = rep, first_error = result.first_error }) end
  end
  return runs, wrong
end

local function sorted(values)
  local copy = table.move(values, 1, #values, 1, {})
  table.sort(copy)
  return copy
end

local function median(values)
  local s = sorted(values)
  local middle = (#s + 1) // 2
  return #s % 2 == 1 and s[middle] or (s[middle] + s[middle + 1]) / 2
end

local function summarize(results, read)
  local values = {}
  for _, result in ipairs(results) do table.insert(values, read(result)) end
  local s = sorted(values)
  return { median = median(values), low = s[1], high = s[#s], count = #values }
end

local function by(...)
  local path = { ... }
  return function(result)
    for _, key in ipairs(path) do result = result[key] end
    return result
  end
end

-- Each figure: its row, its title in the table, what is read, and the ratios wanted: median of `of` over median of `over`, at least or at
-- most `bound`. Those with a bound are in the table.
local figures = {
  { row = "fan-1000", title = "fan-out, 1 run × 1,000",
    what = "deliveries/s", read = by("deliveries_per_s"), format = "%.0f",
    ratios = { { "atoms", "nchan", ">=", 10 }, { "atoms", "coalesce", ">=", 0.6 }, { "atoms-memory", "coalesce" } } },
  { row = "fan-5000", title = "fan-out, 1 run × 5,000",
    what = "deliveries/s", read = by("deliveries_per_s"), format = "%.0f",
    ratios = { { "atoms", "nchan", ">=", 10 }, { "atoms", "coalesce", ">=", 0.6 }, { "atoms-memory", "coalesce" } } },
  { row = "runs-500", title = "500 runs × 10",
    what = "deliveries/s", read = by("deliveries_per_s"), format = "%.0f",
    ratios = { { "atoms", "nchan", ">=", 1 }, { "atoms", "write", ">=", 0.7 }, { "atoms-memory", "write", ">=", 0.85 },
      { "atoms", "write-sync" } } },
  { row = "latency", title = "latency, 1,000 × 20 msg/s",
    what = "delay p50, ms", read = by("delay_ms", "p50"), format = "%.2f", ratios = { { "atoms", "nchan" } },
    plus = { "atoms", "nchan", "p50" } },
  { row = "latency", title = "latency, 1,000 × 20 msg/s",
    what = "delay p99, ms", read = by("delay_ms", "p99"), format = "%.2f",
    ratios = { { "atoms", "nchan" } }, plus = { "atoms", "nchan", "p99" } },
  { row = "idle", title = "memory of an idle stream",
    what = "server bytes a stream", read = by("rss_per_stream"), format = "%.0f",
    ratios = { { "atoms", "nchan" } }, most = { "atoms", 1024 } },
  { row = "resume-memory", title = "resume, 1,000 streams, from memory",
    what = "events/s replayed", read = by("deliveries_per_s"), format = "%.0f",
    ratios = { { "atoms", "nchan", ">=", 8 }, { "atoms", "coalesce" } } },
  { row = "resume-spine", title = "resume, from the spine",
    what = "events/s replayed", read = by("deliveries_per_s"), format = "%.0f",
    ratios = { { "atoms", "resume-memory/nchan", ">=", 1 } } },
  { row = "ingest-64", title = "durable commands, 64 in flight",
    what = "acknowledged/s", read = by("messages_per_s"), format = "%.0f",
    ratios = { { "atoms", "sync", ">=", 0.5 }, { "atoms", "nchan", ">=", 0.4 }, { "atoms-memory", "nchan" } } },
  { row = "ingest-1024", title = "durable commands, 1,024 in flight",
    what = "acknowledged/s", read = by("messages_per_s"), format = "%.0f",
    ratios = { { "atoms", "sync", ">=", 0.5 }, { "atoms", "nchan", ">=", 0.4 }, { "atoms-memory", "nchan" } } },
  { row = "ingest-piped", title = "the same over 16 connections",
    what = "acknowledged/s", read = by("messages_per_s"), format = "%.0f",
    ratios = { { "atoms", "sync" }, { "atoms", "nchan" }, { "atoms-memory", "nchan" } } },
  { row = "ingest-64-runs", title = "durable commands, 64 in flight, 64 runs",
    what = "acknowledged/s", read = by("messages_per_s"), format = "%.0f",
    ratios = { { "atoms", "sync" }, { "atoms", "nchan" } } },
  { row = "classes", title = "8 lens classes",
    what = "deliveries/s", read = by("deliveries_per_s"), format = "%.0f",
    ratios = { { "atoms-class8", "atoms-class1", ">=", 0.9 } } },
}

local function verdict(value, sign, bound)
  if not sign then return nil end
  if sign == ">=" then return value >= bound end
  return value <= bound
end

local function bound_text(sign, bound, holds)
  if not sign then return "" end
  return (" (%s %.4g: %s)"):format(sign, bound, holds and "reached" or "MISSED")
end

local function server_order(servers)
  local names = {}
  for name in pairs(servers) do table.insert(names, name) end
  table.sort(names)
  return names
end

local Report = {}
Report.__index = Report

-- "server" of the same row, or "row/server"
function Report:find(figure, name)
  local row, server = name:match("^(.-)/(.+)$")
  local results = (self.runs[row or figure.row] or {})[server or name]
  return results and summarize(results, figure.read)
end

function Report:note(line, entry)
  print("  " .. line)
  table.insert(self.summary.checks, entry)
end

local function grouped(text)
  local whole, rest = text:match("^(%d+)(.*)$")
  return (whole:reverse():gsub("(%d%d%d)(%d)", "%1,%2"):gsub("(%d%d%d)(%d)", "%1,%2"):reverse()) .. rest
end

local spine_names = { ["atoms-memory"] = ", memory spine" }

--- A row of the table for docs/benchmarks.md, or what belongs into the last one.
function Report:row(figure, of, over, value, bound)
  local a, b = self:find(figure, of), self:find(figure, over)
  local title = ("%s%s: %s"):format(figure.title, spine_names[of] or "", figure.what)
  local more = { ("%s %s"):format(over:match("[^/]+$"), grouped(figure.format:format(b.median))), value, bound }
  local last = self.rows[#self.rows]
  if not last or last[1] ~= title then
    table.insert(self.rows, { title, grouped(figure.format:format(a.median)), table.unpack(more) })
    return
  end
  for i, cell in ipairs(more) do last[i + 2] = last[i + 2] .. "; " .. cell end
end

function Report:ratio(figure, ratio)
  local of, over, sign, bound = table.unpack(ratio)
  local a, b = self:find(figure, of), self:find(figure, over)
  if not (a and b) or b.median == 0 then return end
  local value = a.median / b.median
  local holds = verdict(value, sign, bound)
  self:note(("%s / %s = %.3f%s"):format(of, over, value, bound_text(sign, bound, holds)),
    { row = figure.row, what = figure.what, of = of, over = over, value = value, bound = bound, holds = holds })
  if bound then self:row(figure, of, over, ("%.2f%s"):format(value, holds and "" or " (missed)"), ("%.4g"):format(bound)) end
end

-- The delay may exceed the peer's by one lone fdatasync of the same run.
function Report:plus(figure)
  local of, over, quantile = table.unpack(figure.plus)
  local a, b = self:find(figure, of), self:find(figure, over)
  if not (a and b and #self.probes > 0) then return end
  local sync = summarize(self.probes, by(quantile)).median
  local bound = b.median + sync
  local holds = a.median <= bound
  self:note(("%s %.2f against %s + fdatasync = %.2f + %.2f%s"):format(of, a.median, over, b.median, sync, bound_text("<=", bound, holds)),
    { row = figure.row, what = figure.what, of = of, value = a.median, bound = bound, holds = holds })
  self:row(figure, of, over, holds and "below" or "above (missed)", ("at most %.2f + a sync of %.2f"):format(b.median, sync))
end

function Report:most(figure)
  local of, bound = table.unpack(figure.most)
  local a = self:find(figure, of)
  if not a then return end
  local holds = a.median <= bound
  self:note(("%s%s"):format(of, bound_text("<=", bound, holds)),
    { row = figure.row, what = figure.what, of = of, value = a.median, bound = bound, holds = holds })
  self:row(figure, of, figure.ratios[1][2], holds and "reached" or "missed", ("at most %.4g"):format(bound))
end

function Report:figure(figure)
  local servers = self.runs[figure.row]
  if not servers then return end
  print(("\n%s: %s"):format(figure.row, figure.what))
  for _, server in ipairs(server_order(servers)) do
    local s = summarize(servers[server], figure.read)
    local text = (figure.format .. "  (" .. figure.format .. " … " .. figure.format .. ", n = %d)"):format(s.median, s.low, s.high, s.count)
    local generator = summarize(servers[server], by("generator_cores")).median
    print(("  %-14s %s%s"):format(server, text, generator > 0.95 and "  generator-bound" or ""))
    table.insert(self.summary.figures, { row = figure.row, what = figure.what, server = server, median = s.median, low = s.low,
      high = s.high, count = s.count, generator_cores = generator })
  end
  for _, ratio in ipairs(figure.ratios) do self:ratio(figure, ratio) end
  if figure.plus then self:plus(figure) end
  if figure.most then self:most(figure) end
end

function Report:print_meta()
  local m = self.summary.meta
  print(("%s, %d processors, kernel %s, %s"):format(m.processor or "?", m.processors or 0, m.kernel or "?", m.nginx or ""))
  print(("commit %s%s; frames of %d bytes; %s"):format(m.commit or "?", m.is_dirty and " with changes" or "", m.frame_bytes or 0,
    m.command or ""))
  if #self.probes > 0 then
    local p50, p99 = summarize(self.probes, by("p50")), summarize(self.probes, by("p99"))
    print(("a lone fdatasync: p50 %.2f ms, p99 %.2f ms"):format(p50.median, p99.median))
  end
end

function Report:print_table()
  if #self.rows == 0 then return end
  print("\n| row | atoms | beside it | ratio | reach |\n| --- | --- | --- | --- | --- |")
  for _, row in ipairs(self.rows) do print("| " .. table.concat(row, " | ") .. " |") end
end

function Report:print_wrong()
  for _, run in ipairs(self.summary.wrong) do
    print(("NOT EXACT: %s/%s/%s %s"):format(run.row, run.server, run.rep, run.first_error))
  end
end

local function report(dir)
  local runs, wrong = load_runs(dir .. "/runs.jsonl")
  local meta = cjson.decode(read_all(dir .. "/meta.json") or "{}")
  local probes = {}
  for line in each_line(dir .. "/probes.jsonl") do table.insert(probes, cjson.decode(line)) end
  local summary = { meta = meta, figures = {}, checks = {}, wrong = wrong }
  local self = setmetatable({ runs = runs, probes = probes, rows = {}, summary = summary }, Report)
  self:print_meta()
  for _, figure in ipairs(figures) do self:figure(figure) end
  self:print_table()
  self:print_wrong()
  write_json(dir .. "/summary.json", self.summary)
  print("\nall results: " .. dir)
  return #wrong == 0
end

if arg[1] == "--meta" then
  write_meta(arg[2], arg[3], arg[4])
elseif arg[1] == "--frame" then
  local text = read_all(arg[2])
  local result = text and cjson.decode(text) or {}
  print(("%d"):format(result.is_exact and result.frame_bytes or 0))
else
  os.exit(report(arg[1]))
end
