# shellcheck shell=bash
# What the scripts say, in one voice.

say() { printf '%s\n' "$*" >&2; }

# wrong_usage WORDS: says what is wrong with the command line, then the script's usage().
wrong_usage() {
  say "✗ $*"
  usage >&2
  exit 2
}

die() {
  say "✗ $*"
  exit 1
}
