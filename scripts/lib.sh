# Shared by the scripts beside it: source it, don't run it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Where tools that only the checks need are kept; never part of the repository.
TOOLS="${CARGO_TARGET_DIR:-target}/tools"

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
say() { printf '   %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# apt_install WHY PACKAGE…: installs Debian packages and says so.
apt_install() {
  local why=$1; shift
  have apt-get || die "$* not found ($why), and this isn't Debian: install it, then run again"
  local sudo=""
  [ "$(id -u)" = 0 ] || { have sudo || die "$* not found ($why): run as root or install it"; sudo=sudo; }
  say "installing $* ($why)"
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}
