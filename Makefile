# make run and make test need Go and make alone. What other targets need they
# install below .tools, .ci/engines and .ci/browser, pinned: Go's tools with go, the SAM CLI and
# MiniStack with Python's venv and pip, the tests' DynamoDB engine and axe with npm.

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
	ENGINES_LOG=$(CURDIR)/build/engines.txt go test $(RACE) -shuffle=on -count=1 -timeout 30m ./...
	@echo "Tables tested: bbolt, and $$(sort -u build/engines.txt 2>/dev/null || true)" | grep -v 'and $$' || \
		echo "Tables tested: bbolt; no DynamoDB engine is installed (make engines)"
	@[ -n "$(RACE)" ] || echo "Without the race detector: there is no C compiler here."

.PHONY: chaos
chaos: ## the whole crash matrix, of which make test does a third: a process is killed at each of its calls, and worse; prints the table (needs make engines)
	@mkdir -p build && rm -f build/crash-matrix.txt
	@REQUIRE_ENGINES=1 CRASH_MATRIX=$(CURDIR)/build/crash-matrix.txt go test -count=1 -timeout 30m -run '^TestCrashMatrix$$' ./cmd; \
		status=$$?; cat build/crash-matrix.txt; exit $$status

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
engines: .ci/engines/node_modules/.package-lock.json ## install a DynamoDB engine for the tests (Linux x64; needs npm)

.ci/engines/node_modules/.package-lock.json: .ci/engines/package-lock.json
	npm ci --prefix .ci/engines --ignore-scripts --no-audit --no-fund

.PHONY: golden
golden: ## write the events of the sources, all golden answers and the golden mappings anew
	go test ./internal/sender -run TestEverySourceHasAnEventThatItsSenderCouldHaveSent -update
	go test ./handler -run TestEveryEventHasItsGoldenAnswer -update
	go test ./handler/sources -run TestEverySampleHasItsGoldenMapping -update

.PHONY: dashboard-picture
dashboard-picture: ## draw docs/dashboard.svg anew, of the template's dashboard and sample data
	go test ./internal/dashboard -run TestThePictureInTheDocumentsIsThatOfTheTemplatesDashboard -update

.PHONY: send
send: ## send a source's sample as its sender would (SOURCE=hubspot; URL, SECRET_FILE, FILE, TIMES)
	@go run -buildvcs=false ./cmd/sources send -url "$(or $(URL),http://127.0.0.1:8080)" -times $(or $(TIMES),1) $(if $(SECRET_FILE),-secret-file "$(SECRET_FILE)") $(if $(FILE),-file "$(FILE)") $(SOURCE)

.PHONY: verify-mapping
verify-mapping: ## what a source's mapping takes out of a payload of yours (SOURCE, FILE)
	@go run -buildvcs=false ./cmd/sources map $(SOURCE) "$(FILE)"

FUZZTIME ?= 20s

# package:target, one run of FUZZTIME each
FUZZ := \
	exotel:FuzzDecode exotel:FuzzRetryAfter exotel:FuzzNextPage exotel:FuzzRedact exotel:FuzzEntries exotel:FuzzDestination \
	handler/strictjson:FuzzParse handler/sources:FuzzRead handler/sources:FuzzXML handler/verify:FuzzVerify handler:FuzzHandle handler:FuzzWebhook handler:FuzzSignup handler:FuzzSignatureHeader \
	internal/timeline:FuzzRead internal/secrets:FuzzParseCredentials internal/secrets:FuzzParseSources internal/awsconfig:FuzzRefusal

.PHONY: fuzz
fuzz: ## fuzz what parses what strangers send, FUZZTIME each
	for target in $(FUZZ); do .ci/fuzz "$${target%:*}" "$${target#*:}" $(FUZZTIME) || exit 1; done

# A burst that is fifty times what Exotel takes, against its limits.
.PHONY: burst
burst: engines ## 5,000 signups twice at once: none lost, none twice, no 429; prints a table
	@mkdir -p build
	@{ go test -count=1 -run '^TestBurst' -v ./provision && \
	   BURST_SIGNUPS=$(or $(BURST_SIGNUPS),5000) REQUIRE_ENGINES=1 go test -count=1 -timeout 20m -run '^TestBurst' -v ./cmd; \
	} >build/burst.txt 2>&1 || { cat build/burst.txt; exit 1; }
	@echo '| run | requests | answers | trunks | calls | 429 | drained at | in |'
	@echo '|---|---|---|---|---|---|---|---|'
	@sed -n 's/^ *burst_test\.go:[0-9]*: \(|.*\)/\1/p' build/burst.txt

SEEDS ?= 100000

.PHONY: sim
sim: ## play SEEDS schedules (100000) in virtual time; SEED=n for one, with all that happens in it
	go test ./provision/simulation -count=1 -timeout 60m -v $(if $(SEED),-run '^TestSimulation$$' -seed $(SEED),-seeds $(SEEDS))

.PHONY: build
build: ## the functions' bootstrap files, for GOARCH_FUNCTIONS (arm64)
	for function in webhook reconciler; do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH_FUNCTIONS) go build $(BUILD_FLAGS) -o build/$$function/bootstrap ./cmd/$$function || exit 1; \
	done

# Another folder, and every link anew: what neither the path nor the moment gets into.
.PHONY: reproducible
reproducible: ## the functions for arm64 and x86_64, built here and elsewhere: the same bytes
	@elsewhere=$$(mktemp -d) && trap 'rm -rf "$$elsewhere"' EXIT && \
	git ls-files -z | tar --null -cf - -T - | tar -xf - -C "$$elsewhere" && \
	for arch in arm64 amd64; do \
		for dir in . "$$elsewhere"; do $(MAKE) --silent -C "$$dir" build GOARCH_FUNCTIONS=$$arch || exit 1; done; \
		for function in webhook reconciler; do cmp build/$$function/bootstrap "$$elsewhere/build/$$function/bootstrap" || exit 1; done; \
		echo "$$arch, built twice to the same bytes:"; sha256sum build/webhook/bootstrap build/reconciler/bootstrap; \
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

# Without the race detector, which allocates as well.
.PHONY: allocs
allocs: ## fail where a request, a write, an answer or a mapping allocates more than it should
	go test -count=1 -run '^TestAllocations' ./cmd/webhook ./exotel ./handler/... ./ledger

.PHONY: bench
bench: bench-peers size ## all figures of docs/benchmarks.md, beside the peers (needs npm and Python 3.11; ten minutes, alone on the machine)
	@go run ./bench -write docs/benchmarks.md peers memory scale load units

.PHONY: load
load: ## cmd/local under load, on 127.0.0.1: 64 senders, then 1,000 signups a second, 10 s each
	@go run ./bench load

# What the peers are made of, pinned in bench/peers; installed anew where that changes.
.PHONY: bench-peers
bench-peers: engines build/bench/python-source/.done build/bench/typescript/.done

BENCH_PIP := build/bench/venv/bin/pip install --quiet --no-deps --upgrade --target

# Lambda's runtime has its .pyc files; the package that sam build makes has none.
build/bench/python-source/.done: $(wildcard bench/peers/python/requirements*.txt)
	python3 -m venv build/bench/venv
	$(BENCH_PIP) build/bench/python-runtime -r bench/peers/python/requirements-runtime.txt
	$(BENCH_PIP) build/bench/python -r bench/peers/python/requirements.txt
	$(BENCH_PIP) build/bench/python-source --no-compile -r bench/peers/python/requirements.txt
	touch $@

build/bench/typescript/.done: $(wildcard bench/peers/typescript/package*.json)
	mkdir -p $(@D) && cp $^ $(@D)
	npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund
	touch $@

.ci/browser/node_modules/.package-lock.json: .ci/browser/package-lock.json
	npm ci --prefix .ci/browser --ignore-scripts --no-audit --no-fund

BROWSER_TESTS := go test -tags browser -count=1 -timeout 20m ./cmd/local

.PHONY: browser
browser: .ci/browser/node_modules/.package-lock.json ## the local console in a browser (needs chromium, npm); pictures of it in build/pictures
	@mkdir -p build/pictures
	BROWSER_PICTURES=$(CURDIR)/build/pictures $(BROWSER_TESTS) -v -run '$(or $(TESTS),.)'

.PHONY: picture
picture: ## take docs/console.png anew (needs chromium)
	CONSOLE_PICTURE=$(CURDIR)/docs/console.png $(BROWSER_TESTS) -run '^TestPictureOfTheReadme$$'

# --- through SAM --------------------------------------------------------------

SAM ?= .tools/sam/bin/sam
# One of your own (SAM=sam) is not ours to make; nor is the engine at an endpoint.
SAM_NEEDED := $(filter .tools/%,$(SAM))
ENGINE_NEEDED := $(if $(DYNAMODB_ENDPOINT)$(DYNOXIDE),,engines)
ENV ?= default
export SAM_CLI_TELEMETRY := 0

# sam build takes Go's flags from the environment only.
SAM_BUILD := CGO_ENABLED=0 GOFLAGS="$(BUILD_FLAGS)" $(SAM) build

# Lambda's name for this machine's architecture, for what runs here.
HERE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

.tools/sam/bin/sam: .ci/requirements-sam.txt
	python3 -m venv .tools/sam
	.tools/sam/bin/pip install --quiet -r $<
	touch $@

.tools/ministack/bin/ministack: .ci/requirements-ministack.txt
	python3 -m venv .tools/ministack
	.tools/ministack/bin/pip install --quiet -r $<
	touch $@

.tools/checkov/bin/checkov: .ci/requirements-checkov.txt
	python3 -m venv .tools/checkov
	.tools/checkov/bin/pip install --quiet -r $<
	touch $@

.PHONY: tools
tools: engines .tools/golangci-lint-$(GOLANGCI_LINT_VERSION) .tools/sam/bin/sam .tools/ministack/bin/ministack .tools/checkov/bin/checkov .ci/browser/node_modules/.package-lock.json ## install all that the other targets would when they need it

# checkov reads the template as it is written, and as CloudFormation makes it of it
# for an environment that has CodeDeploy; it knows SAM's own resources in part only.
CHECKOV := .tools/checkov/bin/checkov --config-file .ci/checkov.yaml

.PHONY: template
template: $(SAM_NEEDED) .tools/sam/bin/sam .tools/checkov/bin/checkov ## check template.yaml, samconfig.toml and the example of a template
	AWS_DEFAULT_REGION=eu-west-1 $(SAM) validate --lint
	.tools/sam/bin/cfn-lint --regions ap-south-1 ap-southeast-1 eu-west-1 us-east-1 -- template.yaml docs/examples/hubspot-writeback.yaml
	$(CHECKOV) --file template.yaml
	@mkdir -p build
	.tools/sam/bin/python e2e/translate.py template.yaml Rollout=Canary10Percent5Minutes >build/processed.json
	$(CHECKOV) --file build/processed.json

.PHONY: deploy
deploy: $(SAM_NEEDED) ## deploy to your AWS account: ENV=default, staging or prod of samconfig.toml
	$(SAM_BUILD)
	$(SAM) deploy --config-env $(ENV) $(ARGS)

.PHONY: outputs
outputs: $(SAM_NEEDED) ## where the deployed stack is (ENV)
	@$(SAM) list stack-outputs --config-env $(ENV) $(ARGS)

.PHONY: secrets
secrets: $(SAM_NEEDED) ## put the deployed stack's secrets in, asking on the terminal (ENV; ARGS=-help)
	@go run -buildvcs=false ./cmd/secrets -outputs "$$($(SAM) list stack-outputs --config-env $(ENV) --output json)" $(ARGS)

.PHONY: trunkctl
trunkctl: $(SAM_NEEDED) ## an operator's command on the deployed stack (ENV; ARGS="list"; docs/operations.md)
	@go build -buildvcs=false -o build/trunkctl ./cmd/trunkctl
	@TRUNKCTL_LOCAL= build/trunkctl --outputs "$$($(SAM) list stack-outputs --config-env $(ENV) --output json)" $(ARGS)

.PHONY: smoke
smoke: ## after a deploy: a dry signup to URL, with source api's secret in SECRET_FILE (docs/operations.md); without both to make run
	@go build -buildvcs=false -o build/smoke ./cmd/smoke
	@build/smoke $(if $(URL),-url '$(URL)') $(if $(SECRET_FILE),-secret-file "$(SECRET_FILE)")

EVENT ?= events/signup.json

.PHONY: invoke
invoke: build/samlocal ## sam local invoke on EVENT (events/signup.json), with local parts
	@build/samlocal -sam $(SAM) -template build/sam/template.yaml invoke $(EVENT)

.PHONY: start-api
start-api: build/samlocal ## sam local start-api on 127.0.0.1:3000 (API_ADDR), with local parts
	@build/samlocal -sam $(SAM) -template build/sam/template.yaml -addr $(or $(API_ADDR),127.0.0.1:3000) start-api

# All that goes into the functions and into samlocal.
PARTS = $(shell find . -name '*.go' -not -path './.*') go.mod template.yaml $(wildcard handler/sources/*.json events/*.json)

build/samlocal: $(PARTS) | $(SAM_NEEDED) $(ENGINE_NEEDED)
	@mkdir -p build
	@$(SAM_BUILD) --build-dir build/sam --parameter-overrides Architecture=$(HERE) >build/sam.log 2>&1 || { cat build/sam.log; exit 1; }
	@go build -buildvcs=false -o $@ ./cmd/samlocal

.PHONY: e2e
e2e: $(SAM_NEEDED) .tools/ministack/bin/ministack ## deploy the template onto an emulator of AWS, and use it
	E2E_SAM=$(if $(SAM_NEEDED),$(abspath $(SAM)),$(SAM)) E2E_MINISTACK=$(abspath .tools/ministack/bin) E2E_GOFLAGS="$(BUILD_FLAGS)" \
		go test -tags e2e -count=1 -timeout 25m -v ./e2e

.PHONY: clean
clean: ## remove what was built; .local and .tools stay
	rm -rf build
