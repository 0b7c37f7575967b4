# shellcheck shell=bash
# The servers that bench/run measures: how each is started, where its streams are, how it is stopped. Sourced, not run.
# start_server NAME leaves: PIDS (what to weigh), TARGET (options of `atoms bench` that name the URLs), and the server listening.

SERVER_CPU=${SERVER_CPU:-0}
PORT=${PORT:-19400}
ADMIN_PORT=$((PORT + 1))
PIDS=()
TARGET=()

launch() {
  taskset -c "$SERVER_CPU" "$@" >>"$DIR/log" 2>&1 &
  PIDS+=("$!")
}

wait_port() {
  for _ in $(seq 200); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.05
  done
  echo "bench: port $1 never opened" >&2
  tail -5 "$DIR/log" >&2
  return 1
}

plain_target() {
  TARGET=(--sub-url "http://127.0.0.1:$PORT/sub/{ch}" --pub-url "http://127.0.0.1:$PORT/pub/{ch}")
}

start_bare() {
  launch "$BARE" --port "$PORT" "$@"
  plain_target
  wait_port "$PORT"
}

start_nchan() {
  chmod 755 "$DIR"
  sed -e "s#@DIR@#$DIR#g" -e "s#@PORT@#$PORT#" bench/conf/nchan.conf.in >"$DIR/nginx.conf"
  launch nginx -c "$DIR/nginx.conf"
  plain_target
  wait_port "$PORT"
}

bearer() {
  ATOMS_JWT_SECRET=$SECRET "$ATOMS" token --tenant bench --kind service --role owner "$@"
}

# Bearers of `count` lens classes, all of which see plan.title.
write_bearers() {
  local lists=('plan.*' 'plan.title' 'plan.title,ui.*' 'plan.title,plan.days' 'plan.title,plan.priority' 'plan.*,ui.*' 'plan.title,ui.zoom'
    'plan.title,plan.days,ui.zoom')
  local i
  for i in $(seq 0 $(($1 - 1))); do bearer --actor "reader$i" --tokens "${lists[$i]}"; done >"$DIR/bearers"
}

# start_atoms SPINE CLASSES: with CLASSES 0 the readers see everything
start_atoms() {
  local scope='"tenant_id":"bench","mode":"dev","project_id":"p","surface_id":"s","app_id":"a","run_id":"r{ch}"'
  local query='tenant_id=bench&mode=dev&project_id=p&surface_id=s&app_id=a&run_id=r{ch}'
  SECRET=bench-secret-of-at-least-32-bytes-length
  ATOMS_LISTEN=127.0.0.1:$PORT ATOMS_ADMIN_LISTEN=127.0.0.1:$ADMIN_PORT ATOMS_DATA_DIR=$DIR/data ATOMS_JWT_SECRET=$SECRET \
    ATOMS_WORKERS=1 ATOMS_SPINE=$1 ATOMS_CANVASES_DIR=bench/conf/canvases ATOMS_LOG_LEVEL=warn launch "$ATOMS" serve --config bench/conf/atoms.lua
  wait_port "$PORT" || return 1
  if [ "$2" -gt 0 ]; then write_bearers "$2"; else bearer --actor reader >"$DIR/bearers"; fi
  TARGET=(--bearers "$DIR/bearers" --count-event token_patch
    --sub-url "http://127.0.0.1:$PORT/v1/stream?$query" --sub-header 'Authorization: Bearer {bearer}'
    --pub-url "http://127.0.0.1:$PORT/v1/commands" --pub-header 'Content-Type: application/json'
    --pub-header "Authorization: Bearer $(bearer --actor writer)"
    --pub-body "{\"command_id\":\"{unique}\",\"type\":\"token.set\",$scope,\"args\":{\"set\":{\"plan.title\":\"{payload}\"}}}"
    --setup-body "{\"command_id\":\"{unique}\",\"type\":\"canvas.mount\",$scope,\"canvas_id\":\"c1\",\"args\":{\"canvas_type\":\"bench\"}}")
}

start_server() {
  PIDS=()
  case $1 in
    nchan) start_nchan ;;
    write) start_bare --mode write --log-kb "${LOG_KB:-4096}" ;;
    coalesce) start_bare --mode coalesce --log-kb "${LOG_KB:-4096}" ;;
    write-sync) start_bare --mode write --sync "$DIR/disk" --log-kb "${LOG_KB:-4096}" ;;
    sync) start_bare --mode coalesce --subs none --sync "$DIR/disk" ;;
    atoms) start_atoms sqlite 0 ;;
    atoms-memory) start_atoms memory 0 ;;
    atoms-class1) start_atoms sqlite 1 ;;
    atoms-class8) start_atoms sqlite 8 ;;
    *) echo "bench: no server $1" >&2; return 1 ;;
  esac
}

# Ends what start_server started, by its process ids.
stop_server() {
  local pid
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${PIDS[@]}"; do
    for _ in $(seq 200); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.05
    done
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  PIDS=()
}
