# Two commands need only Go and make: "make demo" and "make test". The others
# say what they need, and most of them are what CI runs: see .ci/run.

GO    ?= go
SHORT ?=# -short for a quicker run of any of the tests
ONLY  ?=# which tests, if not all: a pattern
SKIP  ?=# and without which
TEST   = $(GO) test -count=1 -timeout 15m $(SHORT) $(if $(ONLY),-run '$(ONLY)') $(if $(SKIP),-skip '$(SKIP)')

# The releases of the layout tables, which say themselves which they are.
RELEASES := $(shell sed -n 's,^// GOVERSION=\(go[0-9.]*\) .*,\1,p' internal/rt/layout_go*_amd64.go)

# What is tested in each of the many ways to build and run it: the packages. The
# examples, which are a program each to link, are tested in those that most
# people use.
CORE = . ./internal/... ./stack/... ./seqs/... ./greenlettest/... ./sched/... ./asyncio/...

# What a release of Go, or a processor, can break by itself: the switch, and what
# is right above it.
SWITCH = . ./internal/... ./stack/... ./sched/...

# What is above either switch, and the same on every release and processor:
# explorations, in simulation or at random, and what is read in the files.
ABOVE = TestOverSimulated|TestOnPortableSockets|TestUnheardScopes|TestPoolAtRandom|TestChaos|TestStreamReaderModel|TestTimeWaitOfClient|TestDoc|TestLaws|TestCircles

# With -race a program sleeps for a second before it exits; tests start hundreds.
export GORACE ?= atexit_sleep_ms=0

# Systems for which the module is built and vetted, its tests included; of those
# on which the tests run, too, only the one with assembly.
PLATFORMS = linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 freebsd/amd64 js/wasm wasip1/wasm

# Folders with a module of their own, other than this one.
NESTED := $(patsubst %/go.mod,%,$(filter-out go.mod,$(shell find * -name go.mod)))

say = @printf '\n== %s\n' "$(1)"

.PHONY: help demo test check releases matrix race portable noopt invariants generic hostile arm64 riscv64 386 arm wasm cross \
        layout asyncvet nested strict world warnings cover tidy staticcheck conformance fuzz mutants bench bench-net bench-world bench-smoke

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | expand -t 14

# Those that need no other module, the one about the backend first.
OWN      := $(patsubst %/main.go,%,$(wildcard examples/*/main.go))
EXAMPLES := examples/backend $(filter-out examples/backend $(NESTED),$(OWN))

# Those with a loop. In the others there is one goroutine at a time, and no connection.
LOOPED   := $(addprefix ./,$(filter-out $(NESTED),$(shell grep -l 'go-greenlet/greenlet/asyncio"' examples/*/*.go | xargs -n1 dirname | sort -u)))

demo: ## run the examples, one after the other
	@for d in $(EXAMPLES); do \
		printf '\n== %s: ' "$$d"; \
		$(GO) list -C $$d -f '{{.Doc}}' . && $(GO) run -C $$d . || exit 1; \
	done
	@printf '\n'; for d in $(filter examples/%,$(NESTED)); do \
		echo "== $$d needs other modules, so it is not run here: go run -C $$d ."; \
	done

test: ## all tests with the assembly, and without it those that the switch can change
	$(call say,tests)
	$(TEST) -shuffle=on ./...
	$(call say,tests with -tags purego: the generic switch$(comma) no assembly)
	$(TEST) -shuffle=on -tags purego $(if $(SKIP),,-skip '$(ABOVE)') $(CORE)

comma := ,

check: staticcheck cross tidy layout ## gofmt, vet, staticcheck, cross-builds, tidy, layout tables
	$(call say,gofmt)
	@out=$$(gofmt -l .); test -z "$$out" || { echo "gofmt would change: $$out"; exit 1; }
	$(call say,vet: amd64 with the assembly$(comma) purego$(comma) portable$(comma) race)
	$(GO) vet ./...
	$(GO) vet -tags purego ./...
	$(GO) vet -tags portable ./...
	$(GO) vet -race ./...
	$(call say,nothing that is checked in has changed)
	@test -z "$(CI)" || git diff --exit-code --stat

staticcheck: ## staticcheck, built from tools/go.mod
	$(call say,staticcheck)
	$(GO) tool -modfile=tools/go.mod staticcheck ./...
	$(GO) tool -modfile=tools/go.mod staticcheck -tags purego -checks inherit,-U1000 . ./internal/... ./sched/...

tidy: ## no module file is untidy
	$(call say,go mod tidy)
	@for d in . $(NESTED); do echo "$$d"; $(GO) mod -C $$d tidy -diff || exit 1; done

layout: ## generate the layout tables anew and compare
	$(call say,layout tables of $(RELEASES))
	CI=true $(TEST) -run 'Layout|Alike' ./internal/rt/...

releases:
	@printf '%s\n' $(RELEASES)

# How they are built and run on each release.
WAYS = "" "-race" "-tags purego"

matrix: ## the tests on every Go release: assembly, race, purego
	@failed=; for v in $(RELEASES); do \
		export GOTOOLCHAIN=$$v; \
		for how in $(WAYS); do \
			tested='$(SWITCH)'; test -n "$$how" || tested='$(CORE)'; \
			printf '\n== %s %s\n' $$v "$$how"; $(TEST) $$how $$tested || failed=1; \
		done; \
	done; test -z "$$failed"

generic: ## the tests on the generic switch, in a build that has the assembly
	$(call say,tests with GREENLET_BACKEND=generic)
	GREENLET_BACKEND=generic $(TEST) $(CORE)

race: ## the tests under the race detector (needs a C compiler)
	$(call say,tests with -race)
	CGO_ENABLED=1 $(TEST) -race $(CORE) $(LOOPED)

portable: ## the tests of the loop that watches no descriptors, as on Windows
	$(call say,tests with -tags portable: connections by Go's own poller)
	$(TEST) -tags portable ./sched/... ./asyncio/... $(LOOPED)

noopt: ## the switch's tests without optimisation and inlining
	$(call say,tests with -gcflags=all='-N -l')
	$(TEST) -gcflags=all='-N -l' $(SWITCH)

invariants: ## the switch's tests, in a build that looks whether its invariants hold
	$(call say,tests with -tags greenlet_invariants)
	$(TEST) -tags greenlet_invariants . ./sched/...

hostile: ## the stress tests under every hostile setting of the runtime, for long
	sh tools/hostile.sh $(if $(SHORT),short,long)

arm64: ARCH = aarch64 ## the tests on arm64, by QEMU
arm64:
	$(emulated)

# There it is the generic switch, of which 386 runs everything.
riscv64: ARCH = riscv64 ## conformance and examples on riscv64, by QEMU
riscv64: ONLY = TestConformance|^Example
riscv64:
	$(emulated)

# Weak on memory order and on signals, so no substitute for the hardware.
define emulated
	$(call say,tests on $@$(comma) by an emulator)
	@if emulator=$$(sh tools/emulator.sh $(ARCH)); then \
		GOARCH=$@ CGO_ENABLED=0 TEST_EXEC=$$emulator $(TEST) -exec "$$emulator" $(CORE); \
	else \
		echo "skipped: no emulator"; test -z "$(CI)"; \
	fi
endef

# Not every kernel on amd64 runs programs of 386. QEMU runs none of Go's, either:
# of the processors with 32 bits it has arm.
386: ## the tests on 386, which most amd64 machines run, else on arm, by QEMU
	$(call say,tests on 386)
	@if GOARCH=386 CGO_ENABLED=0 $(GO) run ./examples/hello >/dev/null 2>&1; then \
		GOARCH=386 CGO_ENABLED=0 $(TEST) $(CORE); \
	else \
		echo "this machine runs no programs of 386"; $(MAKE) arm; \
	fi

arm: ARCH = arm ## the tests on arm, by QEMU
arm:
	$(emulated)

# One thread, and a goroutine that must print its stack to know its number: the
# rest of the tests would take minutes there.
wasm: ## conformance, examples and the small packages on js/wasm, by Node.js
	$(call say,tests on js/wasm)
	@if command -v node; then \
		export GOOS=js GOARCH=wasm; how="-exec $$(GOOS= GOARCH= $(GO) env GOROOT)/lib/wasm/go_js_wasm_exec"; \
		$(TEST) $$how -run 'TestConformance|Scenario|^Example' . ./sched/... ./asyncio/... && $(TEST) $$how ./examples/... ./seqs/... ./stack/...; \
	else \
		echo "skipped: no node"; test -z "$(CI)"; \
	fi

# Vet reads tests and examples, too. One program shows that there is nothing that
# cannot be linked; all of them would take minutes.
cross: ## vet for other systems, tests included, and link a program
	@failed=; for p in $(PLATFORMS); do \
		printf '\n== vet and link for %s\n' $$p; \
		export GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0; \
		$(GO) vet ./... && $(GO) build -o /dev/null ./examples/tlsproxy || failed=1; \
	done; test -z "$$failed"

# Screenshots, which people look at, are kept in the folder that ARTIFACTS names.
KEEP = $(if $(ARTIFACTS),$(shell mkdir -p '$(ARTIFACTS)')-artifacts -outputdir '$(abspath $(ARTIFACTS))')

# Of the programs, and of what is made of package asyncio: see asyncvet/rules.
asyncvet: ## what the programs of this tree do wrong on a loop: docs/asyncvet.md
	$(call say,asyncvet)
	@tmp=$$(mktemp -d) && trap 'rm -r $$tmp' EXIT && $(GO) build -C asyncvet -o $$tmp/asyncvet . && \
	for d in . $(filter examples/% bench/% tools/%,$(NESTED)); do \
		test -n "$$($(GO) list -C $$d ./... 2>/dev/null)" || continue; \
		echo "$$d"; (cd $$d && $$tmp/asyncvet ./...) || exit 1; \
	done

nested: asyncvet ## vet and test the modules in subfolders
	@for d in $(NESTED); do \
		test -n "$$($(GO) list -C $$d ./... 2>/dev/null)" || continue; \
		printf '\n== module %s\n' $$d; \
		(cd $$d && $(GO) vet ./... && $(TEST) $(KEEP) ./...) || exit 1; \
	done

# Some half a minute, most of it to build the tests for wasip1 and compile that.
strict: ## the tests of the simulation's strict mode: as WebAssembly, where a seed decides everything
	$(call say,strict mode)
	@tmp=$$(mktemp -d) && trap 'rm -r $$tmp' EXIT && $(GO) build -C tools/simwasm -o $$tmp/simwasm . && \
	ASYNCIOTEST_STRICT=$$tmp/simwasm $(TEST) -run TestStrict ./asyncio/asynciotest

# Each of the tutorials' programs. Their tests find MariaDB, PostgreSQL and
# Chromium, or install them, by tools/servers.sh, or say that they are skipped.
WORLD = web crawler threads mysql api chat-web prefork tasks register sight

# Of the examples alone in the tests of nested modules; here with their tests, for minutes.
warnings: ## no example, and no test of one or of asyncio, is warned of: see docs/sight.md
	$(call say,false alarms)
	cd tools/warnings && $(TEST) ./...

cover: ## which statements no test runs, by package; some minutes
	$(call say,coverage)
	cd tools/cover && $(GO) run . $(COVER)

world: ## the tests of the tutorials' programs: see docs/tutorials.md
	@for d in $(WORLD:%=examples/%); do \
		printf '\n== %s\n' $$d; \
		(cd $$d && $(TEST) $(KEEP) ./...) || exit 1; \
	done

conformance: ## the programs of testdata/conformance on CPython 3.13 to 3.15, from npm
	$(call say,conformance programs on CPython 3.13 to 3.15)
	@dir=$${TMPDIR:-/tmp}/greenlet-conformance; mkdir -p $$dir && cp tools/conformance/package.json $$dir && \
		(cd $$dir && npm install --no-audit --no-fund --silent) && node tools/conformance/run.mjs

# By count, not by the clock: before Go 1.27 a run that ends at a deadline can
# report the deadline itself as a failure (go.dev/issue/75804). Short minimizing,
# because an input whose coverage depends on the scheduler never gets smaller.
fuzz: FUZZTIME ?= 50000x
fuzz: ## every fuzz test, for FUZZTIME (a count, or a duration)
	@grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n1 dirname | sort -u | while read -r d; do \
		for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$d/*_test.go | cut -c6-); do \
			printf '\n== %s in %s, %s\n' $$f $$d $(FUZZTIME); \
			(cd $$d && $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x .) || exit 1; \
		done; \
	done

mutants: ## drop each gate of the switch, swap its stores: which test dies? SAMPLE=n for n of them
	$(call say,mutants of the switch)
	$(GO) run -C tools/mutants . $(if $(SAMPLE),-sample $(SAMPLE)) $(MUTANTS)

bench: ## measure, and print a table of medians and ratios
	$(GO) run -C bench/report .

bench-net: ## measure echo servers, ours beside others, on the loopback
	$(GO) run -C bench/net .

bench-world: ## whole programs, and how costs grow; 8 minutes
	tools/servers.sh with mariadb -- $(GO) run -C bench/world ./programs -results results
	$(GO) run -C bench/world ./growth -results results

bench-smoke: ## every benchmark, only to see that it runs
	$(call say,benchmarks$(comma) once each)
	$(GO) test -run '^$$' -bench . -benchtime 1x $(SHORT) ./...
	$(call say,the table$(comma) from short rounds)
	QUICK=1 $(GO) run -C bench/report .
