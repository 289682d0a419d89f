#!/usr/bin/env bash
# A temporary PostgreSQL with its default, durable settings: prints its URL, and goes when standard input ends.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
# shellcheck source=scripts/lib/ui.sh
. "$root/scripts/lib/ui.sh"
# shellcheck source=scripts/lib/tools.sh
. "$root/scripts/lib/tools.sh"
# shellcheck source=scripts/lib/servers.sh
. "$root/scripts/lib/servers.sh"

[ $# -eq 1 ] || die "Usage: postgres.sh FOLDER"
trap stop_postgres EXIT
trap 'exit 130' INT TERM
start_postgres "$1" "-c fsync=on"
printf '%s\n' "${postgres_url:?}"
cat >/dev/null
