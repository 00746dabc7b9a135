#!/bin/sh
# Fuzzes each target for so many seconds, one after the other. New inputs go to fuzz/work, which git does
# not keep; `.ci/fuzz.sh keep` takes the fewest of them that reach everything into fuzz/corpus.
set -eu
cd "$(dirname "$0")/../fuzz"
fail() { echo "fuzz: $1" >&2; exit 69; }

command -v rustup >/dev/null 2>&1 || fail "rustup is missing, and with it the nightly compiler"
rustup toolchain list | grep -q '^nightly' ||
  fail "the nightly compiler is missing: rustup toolchain install nightly --profile minimal"
cargo fuzz --version >/dev/null 2>&1 || fail "cargo-fuzz is missing: cargo install --locked cargo-fuzz"

targets=$(cargo +nightly fuzz list)
cargo +nightly fuzz build
status=0
for target in $targets; do
  mkdir -p "work/$target" "corpus/$target"
  if [ "${1-}" = keep ]; then
    mkdir -p "work/kept/$target"
    rm -f "work/kept/$target"/*
    cargo +nightly fuzz run "$target" -- -set_cover_merge=1 -use_counters=0 -max_len=16384 "work/kept/$target" \
      "seeds/$target" "corpus/$target" "work/$target"
    # The seeds are kept by name.
    for seed in "seeds/$target"/*; do
      rm -f "work/kept/$target/$(sha1sum "$seed" | cut -d ' ' -f 1)"
    done
    rm -rf "corpus/$target"
    mv "work/kept/$target" "corpus/$target"
    continue
  fi
  echo "=== $target, ${1:-600} seconds"
  cargo +nightly fuzz run "$target" "work/$target" "corpus/$target" "seeds/$target" -- \
    -max_total_time="${1:-600}" -rss_limit_mb=2048 -timeout=10 -max_len=16384 \
    -dict=words.dict -print_final_stats=1 || status=1
done
exit "$status"
