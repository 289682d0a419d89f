# shellcheck shell=bash
# Reads the URL of a Postgres database from an argument. Needs ui.sh and usage().

# read_postgres_url ARGUMENT: sets $postgres_url; - reads it from standard input.
read_postgres_url() {
  postgres_url=$1
  [ "$1" != - ] || IFS= read -r postgres_url || [ -n "$postgres_url" ] || die "Standard input holds no URL."
  case $postgres_url in
    postgres://* | postgresql://*) ;;
    *) wrong_usage "The URL must begin with postgres:// (Ponte's SQLite file needs no such script: bun run ponte migrate)." ;;
  esac
}
