#!/bin/sh
# Starts the mock server with synthetic people and the app pointed at it (`make run` built both).
# Without a display, plays the same journey under Xvfb instead and leaves its pictures in artifacts/.
set -eu
cd "$(dirname "$0")/.."
bin=${CARGO_TARGET_DIR:-target}/debug

if [ -z "${DISPLAY-}" ] && [ -z "${WAYLAND_DISPLAY-}" ]; then
  echo "No display here: playing the journey on a virtual one."
  node tests/ui/repeat.mjs 1
  echo "Pictures of each step: artifacts/e2e/journey/"
  exit 0
fi

folder=${CARGO_TARGET_DIR:-target}/run
mkdir -p "$folder"
rm -f "$folder/ready.json"
"$bin/satchel-mock" --port 0 --patients "${PATIENTS:-5}" --seed 7 >"$folder/ready.json" 2>"$folder/mock.err" &
mock=$!
trap 'kill "$mock" 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tries=0
until [ -s "$folder/ready.json" ]; do
  kill -0 "$mock" 2>/dev/null || { cat "$folder/mock.err" >&2; exit 1; }
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || { echo "the mock server does not start" >&2; exit 1; }
  sleep 0.1
done

node -e '
  const { fhir_base, accounts } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
  console.log(`\nMock server: ${fhir_base}\nSign in at its portal as one of these synthetic people:`);
  for (const { username, password, role } of accounts) console.log(`  ${username}  ${password}  (${role})`);
  console.log("");
' "$folder/ready.json"
base=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).fhir_base' "$folder/ready.json")

# A profile of its own, so that trying it out touches no real records.
SATCHEL_MOCK_SERVER="$base" SATCHEL_PROFILE="$PWD/$folder/profile" "$bin/satchel-desktop"
