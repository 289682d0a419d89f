# shellcheck shell=bash
# What the scripts say, in one voice.

say() { printf '%s\n' "$*" >&2; }

die() {
  say "✗ $*"
  exit 1
}
