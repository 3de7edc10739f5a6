SHELL := /bin/bash
.DEFAULT_GOAL := help

GO    ?= go
BIN   := bin
TOOLS := $(GO) tool -modfile=tools/go.mod
# The commit in version strings and reports; "unknown" outside a git checkout.
COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
LDFLAGS := -X github.com/brownout-dev/brownout/internal/build.Commit=$(COMMIT)
# cgo is for the real-GPU reader and the race detector only: one flag set keeps the k6 build cached.
export CGO_ENABLED ?= 1

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build bin/brownout and bin/refserver
	@mkdir -p $(BIN)
	@echo "building (the first build compiles k6: a minute or two)"
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...

.PHONY: image
image: $(BIN)/image/refserver ## Build the container image brownout/refserver (FROM scratch)
	docker build -q -t brownout/refserver $(BIN)/image

.PHONY: image-glibc
image-glibc: ## Build the image brownout/refserver:glibc (Debian slim, binary with cgo)
	@mkdir -p $(BIN)/image-glibc
	@CGO_ENABLED=1 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(COMMIT)' -o $(BIN)/image-glibc/refserver ./cmd/refserver
	@cp refserver/deploy/Dockerfile.glibc $(BIN)/image-glibc/Dockerfile
	docker build -q -t brownout/refserver:glibc $(BIN)/image-glibc

# Static, and so without cgo: it runs in an image that holds nothing else.
.PHONY: $(BIN)/image/refserver
$(BIN)/image/refserver:
	@mkdir -p $(BIN)/image
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(COMMIT)' -o $(BIN)/image/refserver ./cmd/refserver
	@cp refserver/deploy/Dockerfile $(BIN)/image/

.PHONY: run
run: build ## Run the gpu-oom scenario: verdict on the terminal, report in brownout-out/
	@$(BIN)/brownout run gpu-oom

.PHONY: test
test: unit ci-scenarios e2e-basics ## Everything that must pass

.PHONY: unit
unit: ## Unit tests under the race detector
	$(GO) test -race -timeout 20m ./...

.PHONY: ci-scenarios
ci-scenarios: build ## The few scenario runs that every change must survive
	BROWNOUT_E2E=1 $(GO) test -count=1 -p 1 -timeout 15m -run 'TestCI' ./e2e/...

.PHONY: e2e-basics
e2e-basics: build $(BIN)/image/refserver ## The journeys of a user, as child processes
	BROWNOUT_E2E=1 $(GO) test -count=1 -p 1 -timeout 15m -run 'TestBasic' ./e2e/...

.PHONY: lies
lies: build ## The suite of lies: what some load test would believe, and brownout must not
	BROWNOUT_E2E=1 $(GO) test -count=1 -v -timeout 30m -run 'TestBasicLies' ./e2e/lies

.PHONY: mutants
mutants: ## Take each guard of the suite of lies away: its lie must then be believed
	BROWNOUT_MUTANTS=1 $(GO) test -count=1 -v -timeout 60m -run 'TestMutants' ./e2e/lies

.PHONY: scenarios
scenarios: build ## Every built-in scenario with its control
	BROWNOUT_E2E=1 $(GO) test -count=1 -p 1 -timeout 60m -run 'TestCI|TestScenario' ./e2e/...

.PHONY: e2e
e2e: build $(BIN)/image/refserver ## Every end-to-end journey
	BROWNOUT_E2E=1 $(GO) test -count=1 -p 1 -timeout 60m -run 'TestBasic|TestE2E' ./e2e/...

.PHONY: accuracy
accuracy: build ## How far our numbers are from the truth: the tables of docs/accuracy.md
	BROWNOUT_E2E=1 $(GO) test -count=1 -timeout 30m -v -run 'TestE2EGroundTruth|TestE2ECalibration|TestE2EClientLimited' ./e2e/...

.PHONY: soak
soak: build ## The long runs
	BROWNOUT_E2E=1 $(GO) test -count=1 -p 1 -timeout 120m -run 'TestSoak' ./e2e/...

.PHONY: bench
bench: build ## Benchmarks of the hot paths, then what the measuring client costs beside its peers
	$(GO) test -run '^$$' -bench . -benchmem ./internal/... ./refserver/... ./reports/... ./scenarios/load/... ./k6ext/...
	$(GO) run ./e2e/bench

.PHONY: fuzz
fuzz: ## Ten seconds of every fuzz target
	@set -e; for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -h '^func Fuzz' $$pkg/*_test.go | sed 's/func \(Fuzz[A-Za-z0-9_]*\).*/\1/'); do \
	    echo "fuzz $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime 10s $$pkg; done; done

.PHONY: lint
lint: ## gofmt, go vet (also for darwin), golangci-lint
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "not gofmt-ed: run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	GOOS=darwin CGO_ENABLED=0 $(GO) vet $$($(GO) list ./... | grep -v -e /k6ext -e /cmd/brownout -e '/brownout$$')
	$(TOOLS) golangci-lint run ./...

# Without smoke, whose k6 flags k6 v2 has removed (our examples are run by make e2e under an xk6-built k6),
# versions, which wants a release tag, and the two that need tools of their own (make vuln, golangci-lint's gosec).
.PHONY: xk6-lint
xk6-lint: ## xk6's own checks of an extension, as far as they can pass on k6 v2 (needs the network)
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && (cd "$$dir" && $(GO) mod init scratch && \
	  $(GO) get -tool go.k6.io/xk6@v1.4.11 && $(GO) build -o xk6 go.k6.io/xk6) 2>/dev/null && \
	  "$$dir/xk6" lint --disable smoke,versions,security,vulnerability .

.PHONY: vuln
vuln: ## Known vulnerabilities (needs the network)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...

.PHONY: clean
clean: ## Remove what was built and reported
	rm -rf $(BIN) brownout-out
