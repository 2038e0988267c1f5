# Two commands do everything on a fresh machine: `make run` and `make test`.

# Build output lies outside the checkout, so that a second clone builds only our own crates.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/domicile/target
# Queries are checked against .sqlx/, so that a build needs no database.
export SQLX_OFFLINE ?= true

CARGO := cargo --locked
DOMICILE := $(CARGO_TARGET_DIR)/debug/domicile

.PHONY: run test check bench demo generate build install

run: build ## four regions and the router at http://localhost:8080
	@exec $(DOMICILE) up

test: install ## all tests, over real stores
	$(CARGO) test --workspace --no-fail-fast

check: install ## formatting, lints, generated files
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- --deny warnings
	$(CARGO) run --quiet --package schemas --example publish -- --check

bench: install ## ratios against the limits, built optimised
	@infra/install.sh zstd
	$(CARGO) run --release --package bench

demo: build ## mail as tickets in four regions; MAIL=folder for your own
	@$(DOMICILE) demo $(if $(MAIL),--mail $(MAIL))

generate: install ## what is generated from the code: .sqlx/ and schemas/published/
	$(CARGO) run --package testkit --example prepare_queries
	$(CARGO) run --package schemas --example publish

build: install
	@$(CARGO) build --workspace --bins

install:
	@infra/install.sh
