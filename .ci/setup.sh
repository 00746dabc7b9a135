#!/bin/sh
# Makes this machine able to build, run and test Satchel; quick when nothing is missing.
# Needs Rust, Node 20 or newer and Python 3; installs the rest on Debian and Ubuntu.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Programs and libraries of the system, by Debian package. Why each: CONTRIBUTING.md.
PACKAGES="build-essential pkg-config perl ca-certificates file procps
libwebkit2gtk-4.1-dev webkit2gtk-driver xvfb imagemagick x11-utils
dbus dbus-bin gnome-keyring libsecret-tools
xdg-utils libglib2.0-bin desktop-file-utils shared-mime-info
fonts-dejavu-core fonts-noto-core
python3-venv"

install_packages() {
  missing=""
  for package in $PACKAGES; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
  done
  browser=""
  for program in chromium chromium-browser google-chrome; do
    if command -v "$program" >/dev/null 2>&1; then browser=$program; break; fi
  done
  [ -n "$browser" ] || missing="$missing chromium"
  [ -n "$missing" ] || return 0

  if [ "$(id -u)" -eq 0 ]; then as_root=""; else
    command -v sudo >/dev/null 2>&1 || fail "these packages are missing and there is no sudo:$missing"
    as_root=sudo
  fi
  say "installing$missing"
  # shellcheck disable=SC2086 # word lists on purpose
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
  case "$missing" in *" chromium"*)
    # Ubuntu has Chromium under another name.
    if ! apt-cache policy chromium 2>/dev/null | grep -q 'Candidate: [^(]'; then
      missing="$(printf %s "$missing" | sed 's/ chromium$//') chromium-browser"
    fi ;;
  esac
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

check_rust() {
  command -v cargo >/dev/null 2>&1 || fail "no cargo here: install Rust from https://rustup.rs"
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
  # With rustup this also fetches the toolchain that rust-toolchain.toml names.
  have=$(rustc --version | cut -d' ' -f2)
  oldest=$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n 1)
  [ "$oldest" = "$wanted" ] || fail "Rust $have is too old: Satchel needs $wanted or newer"
}

check_node() {
  command -v npm >/dev/null 2>&1 || fail "no npm here: install Node 20 or newer from https://nodejs.org"
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || fail "Node $(node -v) is too old: 20 or newer is needed"
}

# The Python client of tests/interop, in a folder of its own.
install_python_packages() {
  stamp="$1/.venv/installed-requirements.txt"
  if ! cmp -s "$1/requirements.txt" "$stamp"; then
    say "pip install in $1"
    rm -rf "$1/.venv"
    python3 -m venv "$1/.venv"
    "$1/.venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1/requirements.txt"
    cp "$1/requirements.txt" "$stamp"
  fi
}

# npm ci, only when the lock file is not the one that was installed last. A registry mirror may lack
# the packages of other platforms, which npm then leaves out of a lock file and misses in "npm ci";
# "npm install" takes the versions of the same lock file and does not mind.
install_node_packages() {
  folder=$1
  shift
  stamp="$folder/node_modules/.installed-lock"
  if ! cmp -s "$folder/package-lock.json" "$stamp"; then
    say "npm ci in $folder"
    (cd "$folder" && { npm ci "$@" --no-audit --no-fund --loglevel=silent ||
      npm install "$@" --no-save --no-audit --no-fund --loglevel=error; })
    cp "$folder/package-lock.json" "$stamp"
  fi
}

if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
  install_packages
else
  say "not a Debian or Ubuntu machine: see CONTRIBUTING.md for what has to be there"
fi
check_rust
check_node
install_node_packages ui
install_node_packages tests/ui
install_node_packages tests/interop --omit=optional --ignore-scripts
install_python_packages tests/interop
