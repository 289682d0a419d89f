#!/usr/bin/env bash
# Gives the app's Postgres user the rights that Ponte needs, and no other.
set -euo pipefail
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/lib/ui.sh
. "$root/scripts/lib/ui.sh"
# shellcheck source=scripts/lib/tools.sh
. "$root/scripts/lib/tools.sh"
# shellcheck source=scripts/lib/postgres-url.sh
. "$root/scripts/lib/postgres-url.sh"

usage() {
  cat <<'HELP'
Usage: scripts/grant_meta_tracking_sessions.sh [--print] <privileged postgres url> <app user>

Lets the app's user connect, read and write exactly Ponte's tables, and read its views and the list of migrations.
It may not make, change or drop anything (no DDL), nor empty a table (no TRUNCATE). Run it after
scripts/create_meta_tracking_sessions.sh, and again after every upgrade that brought new tables. Safe to run again,
also while Ponte runs.

  <privileged postgres url>  postgres://user:password@host/database, as the user that owns the tables;
                             - reads it from standard input, so that no list of processes shows the password
  <app user>                 the user that Ponte's DATABASE_URL names; it must exist
  --print                    print the statements and run none of them

Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
HELP
}

arguments=()
print=""
for argument in "$@"; do
  case $argument in
    -h | --help) usage && exit 0 ;;
    --print) print=--print ;;
    -?*) wrong_usage "There is no flag called $argument." ;;
    *) arguments+=("$argument") ;;
  esac
done
if [ ${#arguments[@]} -ne 2 ] || [ -z "${arguments[1]}" ]; then
  wrong_usage "It takes the URL of the database and the name of the app's user, and nothing else."
fi
read_postgres_url "${arguments[0]}"

ensure_bun
ensure_packages
cd "$root"
DATABASE_URL="$postgres_url" exec bun scripts/lib/grant.ts "${arguments[1]}" $print
