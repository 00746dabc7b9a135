# Everything a person or a build machine does with Satchel. `make help` lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup ui build run test test-ui test-rust interop e2e test-hostile lint fuzz bench-sync torture-sync bench-login simulate-million bench-ui bench-mock torture-faults bench-growth icons clean

# Journeys that `make e2e` plays.
N ?= 1
CARGO ?= cargo
# Seconds that `make fuzz` gives each target.
T ?= 600

help: ## This list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | sort | expand -t 14

setup: ## Install what this machine lacks (Debian, Ubuntu), and the Node packages
	@.ci/setup.sh

ui: setup ## Build the window's contents into ui/dist
	cd ui && npm run build

build: ui ## Build the app, the command line and the mock server (debug)
	$(CARGO) build --locked --workspace --bins

run: build ## Start the mock server with synthetic people, and the app pointed at it
	.ci/run-app.sh

test: test-ui test-rust interop e2e ## Every test

test-ui: ui
	cd ui && npm test

# Compiled outside the session: cargo and rustup keep their own folders.
test-rust: ui
	$(CARGO) test --locked --workspace --no-run
	tests/session.sh $(CARGO) test --locked --workspace --no-fail-fast

e2e: build ## The whole journey in a real window with a real browser, N times (make e2e N=20)
	node tests/ui/repeat.mjs $(N)

test-hostile: build ## Hostile records through the real window: does anything run, is anything fetched, does each still show? (also in e2e)
	node tests/ui/hostile.mjs

interop: build ## Clients that others wrote against the mock server, and Satchel against a server that others wrote
	cd tests/interop && npm test

lint: ui ## Formatting, clippy, documentation, licences and advisories, TypeScript
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --quiet
	@command -v cargo-deny >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	.ci/deny.sh
	cd ui && npm run lint && npx --no-install tsc --noEmit
	node --check tests/ui/repeat.mjs
	node --check tests/ui/hostile.mjs

fuzz: ## Fuzz what is read from servers and other programs, T seconds for each target (nightly Rust, cargo-fuzz)
	.ci/fuzz.sh $(T)

bench-sync: ui ## Resources per second of a whole chart pull, against bare download, bare insert, and what others use
	$(CARGO) build --locked --release --bin satchel-mock --package satchel-mock
	cd tests/bench/sync/peers && { test -d node_modules || npm ci --no-audit --no-fund; }
	$(CARGO) bench --locked --bench sync --no-run
	tests/session.sh $(CARGO) bench --locked --quiet --bench sync

torture-sync: ui ## Kills, cuts, full disks and turned clocks in the middle of syncs: is all there afterwards?
	$(CARGO) bench --locked --profile dev --bench torture --no-run
	tests/session.sh $(CARGO) bench --locked --quiet --profile dev --bench torture

torture-faults: ui ## Each fault of the mock server, alone and in pairs, in the middle of syncs: is never a part called the whole?
	$(CARGO) bench --locked --profile dev --bench torture --no-run
	tests/session.sh $(CARGO) bench --locked --quiet --profile dev --bench torture -- faults

bench-growth: ui ## Time, memory and room by the number of records, up to 1,000,000, and how long readings take then
	$(CARGO) build --locked --release --package satchel-cli
	$(CARGO) bench --locked --bench growth --no-run
	tests/session.sh $(CARGO) bench --locked --quiet --bench growth

bench-login: ## What a sign-in costs beside the person and the server, and each of its round trips
	$(CARGO) build --locked --release --bin satchel-mock --package satchel-mock
	$(CARGO) bench --locked --package satchel-cli --bench login --no-run
	tests/session.sh $(CARGO) bench --locked --quiet --package satchel-cli --bench login

# Not a release build: it measures no speed, and everything else is built like this already.
simulate-million: ## What a million installations do to one server: requests per second, with and without jitter
	$(CARGO) bench --locked --profile dev --package satchel-cli --bench million --no-run
	tests/session.sh $(CARGO) bench --locked --quiet --profile dev --package satchel-cli --bench million

bench-ui: ui ## The window: launch and memory against an empty one, frames of a long timeline, interactions, bundle
	$(CARGO) build --locked --release --bins --example empty_window --package satchel --package satchel-mock --package satchel-cli
	SATCHEL_BUILD=release node tests/bench/ui/main.mjs

bench-mock: ## Search pages and bulk records per second of the mock server, and its memory, by population
	$(CARGO) bench --locked --quiet --package satchel-mock --bench mock

icons: ## Render icons/satchel.svg into every icon format
	icons/render.py

clean: ## Remove what was built
	$(CARGO) clean
	rm -rf ui/dist ui/node_modules tests/ui/node_modules artifacts gen
