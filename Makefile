# Two commands do everything on a fresh machine: `make run` and `make test`.

# Build output lies outside the checkout, so that a second clone builds only our own crates.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/domicile/target
# Queries are checked against .sqlx/, so that a build needs no database.
export SQLX_OFFLINE ?= true

CARGO := cargo --locked
DOMICILE := $(CARGO_TARGET_DIR)/debug/domicile
TORTURE := processes_that_die_stall_and_forget_lose_nothing_and_double_nothing

.PHONY: run test torture check bench demo generate build install

run: build ## four regions and the router at http://localhost:8080
	@exec $(DOMICILE) up

test: install ## all tests, over real stores
	infra/counted.sh $(CARGO) test --workspace --no-fail-fast

torture: build ## faults on real processes, then a check of everything; SECONDS=600 KILLS=200 SEED=7 KAFKA=0
	DOMICILE_TORTURE_SECONDS=$(or $(SECONDS),600) DOMICILE_TORTURE_KILLS=$(or $(KILLS),200) DOMICILE_TORTURE_SEED=$(SEED) \
		DOMICILE_TORTURE_KAFKA=$(or $(KAFKA),1) \
		$(CARGO) test --package system-tests --test torture -- --nocapture --exact $(TORTURE)

check: install ## formatting, lints, generated files
	@infra/install.sh python3
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- --deny warnings
	$(CARGO) run --quiet --package schemas --example publish -- --check
	python3 docs/scaling.py --check

bench: install ## ratios against the limits, built optimised
	@infra/install.sh zstd
	$(CARGO) run --release --package bench

demo: build ## mail as tickets in four regions; MAIL=folder for your own
	@$(DOMICILE) demo $(if $(MAIL),--mail $(MAIL))

generate: install ## what is generated from the code: .sqlx/, schemas/published/ and docs/archive-vectors/
	$(CARGO) run --package testkit --example prepare_queries
	$(CARGO) run --package schemas --example publish
	$(CARGO) run --package system-tests --example vectors

build: install
	@$(CARGO) build --workspace --bins

install:
	@infra/install.sh
