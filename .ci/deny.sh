#!/bin/sh
# Licences, sources, bans and known vulnerabilities of everything that Satchel depends on.
set -eu
cd "$(dirname "$0")/.."
cargo deny --locked --log-level error check --hide-inclusion-graph bans licenses sources
if cargo deny --locked --log-level error fetch db; then
  cargo deny --locked check --disable-fetch advisories
else
  echo "deny: the advisory database cannot be reached from here: advisories were NOT checked" >&2
fi
