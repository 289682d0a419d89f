#!/usr/bin/env bash
# Makes Ponte's tables and views in a Postgres database, or brings them up to date.
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
Usage: scripts/create_meta_tracking_sessions.sh <postgres url>

Makes meta_tracking_sessions and every other table and view of Ponte in the database that the URL names, or brings
them up to date. For a managed Postgres where the app's own user may not make tables: run this with a user that
may, then scripts/grant_meta_tracking_sessions.sh for the app's. Safe to run again, also while Ponte runs.

  <postgres url>  postgres://user:password@host/database, as the user that shall own the tables;
                  - reads it from standard input, so that no list of processes shows the password

Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
HELP
}

case ${1:-} in
  -h | --help) usage && exit 0 ;;
esac
[ $# -eq 1 ] || wrong_usage "It takes the URL of the database, and nothing else."
read_postgres_url "$1"

ensure_bun
ensure_packages
cd "$root"
DATABASE_URL="$postgres_url" DATABASE_DIRECT_URL="" DATABASE_POOLER="" bun src/cli/main.ts migrate ||
  die "Nothing was changed."
say "Next, where the app logs in as another user: scripts/grant_meta_tracking_sessions.sh <this url> <app user>"
