# shellcheck shell=bash
# Brings what a script needs: Bun, npm packages, Debian packages. Needs ui.sh and $root.
: "${root:?is set by the script that reads this file}"

BUN_VERSION=1.4.5

# Puts Bun on PATH; installs it under .cache/ where it is missing or older than we need.
ensure_bun() {
  local installed="$root/.cache/bun/node_modules/.bin"
  export PATH="$PATH:$installed"
  if command -v bun >/dev/null && at_least "$(bun --version 2>/dev/null || echo 0)" "$BUN_VERSION"; then
    return
  fi
  command -v npm >/dev/null || die "Bun $BUN_VERSION is missing and there is no npm to install it with. Install Node.js with npm, or Bun itself, and run this again."
  say "· installing Bun $BUN_VERSION"
  mkdir -p "$root/.cache/bun"
  npm install --loglevel=error --no-fund --no-audit --prefix "$root/.cache/bun" "bun@$BUN_VERSION" >&2 ||
    die "Bun could not be installed from npm; see the lines above."
  # npm may refuse to run the package's own install step, which moves the binary into place.
  "$installed/bun" --version >/dev/null 2>&1 || node "$root/.cache/bun/node_modules/bun/install.js" >&2
  export PATH="$installed:$PATH"
  hash -r
  bun --version >/dev/null || die "The installed Bun does not run on this machine."
}

# at_least A B: whether version A is B or newer.
at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# Installs the npm packages of the lock file where they are missing or the lock file is newer.
ensure_packages() {
  local mark="$root/node_modules/.ponte-installed"
  # A patch of a package changes without the lock file.
  if [ -f "$mark" ] && [ -z "$(find "$root/bun.lock" "$root/patches" -newer "$mark")" ]; then return; fi
  say "· installing packages"
  (cd "$root" && bun install --frozen-lockfile --silent >&2) || die "Packages could not be installed; see the lines above."
  touch "$mark"
}

# ensure_debian COMMAND PACKAGE: installs a Debian package where its command is missing.
ensure_debian() {
  # Some servers lie where only root's PATH looks.
  PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null || install_debian "$2" "$1"
}

# install_debian PACKAGE NAME: installs a package; NAME is what the message calls the missing thing.
install_debian() {
  local package=$1 name=$2 sudo=""
  command -v apt-get >/dev/null || die "$name is missing. Install it (Debian's package is called $package) and run this again."
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "$name is missing. Run as root: apt-get install $package"
    sudo="sudo"
  fi
  say "· installing Debian's $package"
  $sudo apt-get update -qq >/dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
    die "apt-get install $package failed; run it by hand to see why."
}

free_port() { bun "$root/scripts/lib/free-port.ts"; }
