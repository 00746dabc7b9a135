#!/bin/sh
# Runs COMMAND in a login session of its own, as a desktop would give it, and leaves nothing behind:
# private XDG directories, a D-Bus session, and an unlocked keychain (gnome-keyring).
#
#   tests/session.sh [--no-keychain] COMMAND [ARGUMENT]...
#
# --no-keychain: the session offers no Secret Service and cannot start one, as on a machine
# where none is installed. There is no display; a caller that wants one brings it.
set -eu

if [ "${1-}" = --inside ]; then
  keychain=$2
  shift 2
  if [ "$keychain" = yes ]; then
    printf %s 'the password of a throw-away keyring' |
      gnome-keyring-daemon --foreground --unlock --components=secrets \
        >"$SATCHEL_SESSION/keyring.log" 2>&1 &
    daemon=$!
    trap 'kill "$daemon" 2>/dev/null || true' EXIT
    gdbus wait --session --timeout 30 org.freedesktop.secrets
    tries=0
    until gdbus call --session --dest org.freedesktop.secrets \
      --object-path /org/freedesktop/secrets/collection/login \
      --method org.freedesktop.DBus.Properties.Get \
      org.freedesktop.Secret.Collection Locked 2>/dev/null | grep -q false; do
      tries=$((tries + 1))
      [ "$tries" -lt 100 ] || { echo "session: the keyring does not unlock" >&2; exit 70; }
      sleep 0.1
    done
  fi
  "$@"
  exit $?
fi

keychain=yes
if [ "${1-}" = --no-keychain ]; then
  keychain=no
  shift
fi
[ $# -gt 0 ] || { echo "usage: tests/session.sh [--no-keychain] COMMAND [ARGUMENT]..." >&2; exit 64; }

# The real /tmp: socket addresses are limited to about 100 characters.
SATCHEL_SESSION=$(mktemp -d /tmp/satchel-XXXXXX)
export SATCHEL_SESSION
trap 'rm -rf "$SATCHEL_SESSION"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

unset DISPLAY WAYLAND_DISPLAY XAUTHORITY DBUS_SESSION_BUS_ADDRESS GNOME_KEYRING_CONTROL
unset SATCHEL_PROFILE SATCHEL_MOCK_SERVER
export XDG_DATA_HOME="$SATCHEL_SESSION/data" XDG_CONFIG_HOME="$SATCHEL_SESSION/config"
export XDG_CACHE_HOME="$SATCHEL_SESSION/cache" XDG_STATE_HOME="$SATCHEL_SESSION/state"
export XDG_RUNTIME_DIR="$SATCHEL_SESSION/runtime" TMPDIR="$SATCHEL_SESSION/tmp"
# xdg-open of Debian 12 cannot read a quoted Exec line unless it recognises the desktop.
export XDG_CURRENT_DESKTOP=GNOME XDG_SESSION_TYPE=x11 GSETTINGS_BACKEND=memory
mkdir -m 700 "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" "$XDG_CACHE_HOME" "$XDG_STATE_HOME" \
  "$XDG_RUNTIME_DIR" "$TMPDIR"

status=0
if [ "$keychain" = yes ]; then
  dbus-run-session -- "$0" --inside yes "$@" || status=$?
else
  cat >"$SATCHEL_SESSION/bus.conf" <<'CONF'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
CONF
  dbus-run-session --config-file="$SATCHEL_SESSION/bus.conf" -- "$0" --inside no "$@" || status=$?
fi
exit "$status"
