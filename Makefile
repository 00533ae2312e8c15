# SPDX-License-Identifier: Apache-2.0
# Needs Python 3.11 or newer with venv, make and a C compiler. Every target makes what it needs.

PYTHON ?= python3
TARGET ?= softnic
BIN    := .venv/bin
READY  := .venv/ready

P4_PROGRAMS      := $(wildcard p4src/programs/*.p4)
P4_TEST_PROGRAMS := $(wildcard tests/p4/*.p4)
P4_BENCH_PROGRAMS := $(wildcard bench/p4/*.p4)
OUT              ?= .

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-gateway test lint type unit ptf diff safety corpus bench p4 shell clean

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with everything the other targets use

$(READY): pyproject.toml
	@$(PYTHON) -m venv .venv || { echo "Python's venv is missing: apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@# Without its dependencies: netifaces, which the nn platform does not use, would want Python's headers.
	$(BIN)/python -m pip install --quiet --no-deps ptf==0.12.0 six
	@touch $@

demo: $(READY) ## two VMs, a forwarding VM and an outside host around a SmartNIC, with real traffic
	$(BIN)/python demo/nic.py

demo-gateway: $(READY) ## two tenants with the same addresses behind a gateway: NAT, the flow cache, a rule in mid-download
	$(BIN)/python demo/gateway.py

test: $(READY) .venv-shell/ready ## everything below, on every target that is here; what was skipped is printed last
	$(BIN)/python tests/run.py

lint: $(READY) ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(READY) ## basedpyright
	$(BIN)/basedpyright

unit: $(READY) ## unit, property and differential tests
	$(BIN)/pytest

ptf: $(READY) ## packet tests; TARGET=softnic, softnic-reference or bmv2; PROGRAM=nic or gateway
	$(BIN)/python ptf-tests/run.py --target $(TARGET) $(if $(PROGRAM),--program $(PROGRAM))

diff: $(READY) ## random entries and packets through every executor; N=100000 PROGRAM=word SEED=1 FOLDER=of programs
	PYTHONPATH=tests $(BIN)/python -m diff $(if $(N),--packets $(N)) $(if $(PROGRAM),--program $(PROGRAM)) \
		$(if $(SEED),--seed $(SEED)) $(if $(FOLDER),--folder $(FOLDER))

safety: $(READY) ## the native engine under sanitizers: prefixes, mutated packets and programs; SECONDS=60 SEED=1
	PYTHONPATH=tests $(BIN)/python -m safety $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

corpus: $(READY) ## renew the packet tests' frames that make safety runs, after a change of ptf-tests or a program
	PYTHONPATH=tests $(BIN)/python -m safety.corpus

bench: $(READY) ## how fast, beside Open vSwitch, DPDK and plain C; ARGS=--quick, ARGS='--only router'
	$(BIN)/python -m bench $(ARGS)

p4: ## compile the P4 programs (needs p4c-bm2-ss on the PATH)
	@$(call compile,$(P4_PROGRAMS),p4src/compiled,$(shell find p4src -name '*.p4' | LC_ALL=C sort))
	@$(call compile,$(P4_TEST_PROGRAMS),tests/p4/compiled,$(shell find tests/p4 -name '*.p4' | LC_ALL=C sort))
	@$(call compile,$(P4_BENCH_PROGRAMS),bench/p4/compiled,$(shell find bench/p4 -name '*.p4' | LC_ALL=C sort))

# $(1) programs, $(2) folder of the results, $(3) all sources
define compile
mkdir -p $(OUT)/$(2); \
for program in $(1); do \
	result=$(2)/$$(basename $$program .p4); \
	p4c-bm2-ss --Werror -I p4src/arch/v1model -o $(OUT)/$$result.json \
		--p4runtime-files $(OUT)/$$result.p4info.txtpb $$program || exit 1; \
done; \
{ echo "# p4c-bm2-ss $$(p4c-bm2-ss --version 2>&1 | sed -n 's/^Version \([^ ]*\).*/\1/p')"; \
  sha256sum $(3); \
  cd $(OUT) && LC_ALL=C sha256sum $(2)/*.json $(2)/*.p4info.txtpb; } > $(OUT)/$(2)/MANIFEST.new && \
mv $(OUT)/$(2)/MANIFEST.new $(OUT)/$(2)/MANIFEST
endef

shell: .venv-shell/ready ## p4runtime-shell, in an environment of its own, connected to 127.0.0.1:9559
	.venv-shell/bin/python -m p4runtime_sh --grpc-addr 127.0.0.1:9559 --device-id 1 --election-id 0,1

.venv-shell/ready:
	$(PYTHON) -m venv .venv-shell
	.venv-shell/bin/python -m pip install --quiet 'setuptools<81' p4runtime-shell==0.0.6
	@touch $@

clean: ## remove what the other targets made
	rm -rf .venv .venv-shell .pytest_cache .ruff_cache .hypothesis bench/results build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
