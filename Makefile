# Plain targets need Go and make alone. What others need they install below
# .tools and .ci/engines, pinned.

GOLANGCI_LINT_VERSION := v2.15.0

# The functions, as they are deployed: static, stripped, reproducible.
GOARCH_FUNCTIONS ?= arm64
BUILD_FLAGS := -trimpath -buildvcs=false -tags=lambda.norpc '-ldflags=-s -w'

# The race detector needs cgo, which Go turns off where there is no C compiler.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## the whole system on this machine, on 127.0.0.1:8080 (ADDR, DATA_DIR, EXOTEL_SECRET_FILE)
	@echo "Building; the first time takes a minute ..."
	@go build -buildvcs=false -o build/local ./cmd/local
	@exec build/local

.PHONY: test
test: ## all tests; on a DynamoDB engine too where one is installed (REQUIRE_ENGINES=1: or fail)
	@mkdir -p build && rm -f build/engines.txt
	ENGINES_LOG=$(CURDIR)/build/engines.txt go test $(RACE) -shuffle=on -count=1 ./...
	@echo "Tables tested: bbolt, and $$(sort -u build/engines.txt 2>/dev/null || true)" | grep -v 'and $$' || \
		echo "Tables tested: bbolt; no DynamoDB engine is installed (make engines)"
	@[ -n "$(RACE)" ] || echo "Without the race detector: there is no C compiler here."

.PHONY: check
check: lint test ## formatting, vet, linters, go.mod, tests

.PHONY: lint
lint: .tools/golangci-lint-$(GOLANGCI_LINT_VERSION) ## formatting, vet, linters, go.mod
	go mod tidy -diff
	go vet ./...
	$< fmt --diff
	$< run ./...

.PHONY: fmt
fmt: .tools/golangci-lint-$(GOLANGCI_LINT_VERSION) ## format the code
	$< fmt

.tools/golangci-lint-$(GOLANGCI_LINT_VERSION):
	GOBIN=$(CURDIR)/.tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv .tools/golangci-lint $@

.PHONY: engines
engines: ## install a DynamoDB engine for the tests (Linux x64; needs npm)
	npm ci --prefix .ci/engines --ignore-scripts --no-audit --no-fund

.PHONY: golden
golden: ## write the golden answers of events/ anew
	go test ./handler -run TestEveryEventHasItsGoldenAnswer -update

FUZZTIME ?= 20s

.PHONY: fuzz
fuzz: ## fuzz what parses what strangers send, FUZZTIME each
	go test ./exotel -run '^$$' -fuzz '^FuzzDecode$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1x
	go test ./handler -run '^$$' -fuzz '^FuzzParseJSON$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1x
	go test ./handler -run '^$$' -fuzz '^FuzzHandle$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1x
	go test ./handler -run '^$$' -fuzz '^FuzzSignup$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1x

.PHONY: build
build: ## the functions' bootstrap files, for GOARCH_FUNCTIONS (arm64)
	for function in webhook reconciler; do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH_FUNCTIONS) go build $(BUILD_FLAGS) -o build/$$function/bootstrap ./cmd/$$function || exit 1; \
	done

# In bytes. A zip is what a cold start fetches; gzip compresses as it does.
MAX_BOOTSTRAP := 10500000

.PHONY: size
size: build ## size of the bootstrap files, plain and compressed
	@for file in build/webhook/bootstrap build/reconciler/bootstrap; do \
		plain=$$(wc -c <$$file); zipped=$$(gzip -9 -c $$file | wc -c); \
		echo "$$file: $$plain bytes, compressed $$zipped"; \
		[ $$plain -le $(MAX_BOOTSTRAP) ] || { echo "that is more than $(MAX_BOOTSTRAP)"; exit 1; }; \
	done

.PHONY: bench
bench: size ## the figures of docs/benchmarks.md
	go test -run '^$$' -bench . -count 5 ./exotel ./handler ./ledger
	go test -count=1 -run '^TestCallsPerRequest$$' -v ./cmd

.PHONY: clean
clean: ## remove what was built; .local and .tools stay
	rm -rf build
