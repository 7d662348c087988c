# `make run` compares real plugins on this machine, and `make test` runs the tests.
# Both install and build what they need.

GO      ?= go
BIN     := bin
PLUGINS ?= flannel-vxlan,flannel-host-gw,flannel-udp,calico
ROUNDS  ?= 60
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

CNI_PLUGINS := main/bridge main/ptp main/host-device main/macvlan main/loopback ipam/host-local meta/portmap meta/tuning
CALICO      := github.com/projectcalico/calico
CALICO_V    := v3.28.5
CALICO_X    := -X $(CALICO)/node/pkg/lifecycle/startup.VERSION=$(CALICO_V) -X $(CALICO)/node/buildinfo.GitVersion=$(CALICO_V) -X main.VERSION=$(CALICO_V)

KUBE_V      := k8s.io/component-base/version

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: deps build tools ## install, build, compare PLUGINS, print where the report is
	$(BIN)/cnibench run --plugins $(PLUGINS) --rounds $(ROUNDS)

# The program is built without cgo, so that it runs in an otherwise empty image, and
# without debugger tables, which would be a third of its size. Functions of Kubernetes'
# libraries are not inlined (-l), which saves another 2.6 MB: nothing there is hot.
.PHONY: build
build: ## build bin/cnibench, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -gcflags='k8s.io/...=-l' -o $(BIN)/cnibench ./cmd/cnibench

.PHONY: deps
deps: ## install the system packages that are missing (BIRD, iptables, ipset)
	scripts/deps.sh

.PHONY: tools
tools: $(BIN)/benchstat $(BIN)/flanneld $(BIN)/bridge $(BIN)/etcd $(BIN)/calico-node $(BIN)/calico ## build the plugins' own programs into bin/

# benchstat does not belong to a plugin. The tests compare exported samples with it.
$(BIN)/benchstat: go.mod
	$(GO) build -trimpath -o $@ golang.org/x/perf/cmd/benchstat

# A program is up to date if the go.mod and go.sum that pin it are older.
$(BIN)/flanneld: tools/flannel/go.mod tools/flannel/go.sum
	cd tools/flannel && $(GO) build -trimpath -ldflags "-s -w -X github.com/flannel-io/flannel/pkg/version.Version=$$($(GO) list -m -f '{{.Version}}' github.com/flannel-io/flannel)" -o $(CURDIR)/$@ github.com/flannel-io/flannel

# This rule builds all reference plugins; bridge stands for all of them.
$(BIN)/bridge: tools/flannel/go.mod tools/flannel/go.sum
	cd tools/flannel && for p in $(filter-out main/bridge,$(CNI_PLUGINS)) main/bridge; do \
		CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(CURDIR)/$(BIN)/$${p##*/} github.com/containernetworking/plugins/plugins/$$p || exit 1; done

$(BIN)/etcd: tools/etcd/go.mod tools/etcd/go.sum
	cd tools/etcd && CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(CURDIR)/$@ go.etcd.io/etcd/server/v3

$(BIN)/calico-node: tools/calico/go.mod tools/calico/go.sum
	cd tools/calico && CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w $(CALICO_X)" -o $(CURDIR)/$@ $(CALICO)/node/cmd/calico-node

# The IPAM plugin is the same program under another name.
$(BIN)/calico: tools/calico/go.mod tools/calico/go.sum
	cd tools/calico && CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w $(CALICO_X)" -o $(CURDIR)/$@ $(CALICO)/cni-plugin/cmd/calico
	ln -sf calico $(BIN)/calico-ipam

.PHONY: kubernetes
kubernetes: $(BIN)/kube $(BIN)/coredns ## build Kubernetes for the tests on a cluster (ten minutes the first time)

# kube contains every part of Kubernetes in one program.
$(BIN)/kube: tools/kubernetes/go.mod tools/kubernetes/go.sum tools/kubernetes/main.go
	cd tools/kubernetes && v=$$($(GO) list -m -f '{{.Version}}' k8s.io/kubernetes) && CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X $(KUBE_V).gitVersion=$$v -X $(KUBE_V).gitMajor=1 -X $(KUBE_V).gitMinor=$$(echo $$v | cut -d. -f2)" -o $(CURDIR)/$@ .

.PHONY: e2e-cluster
e2e-cluster: deps build tools kubernetes ## as root: measure a cluster of two real kubelets on this machine
	scripts/deps.sh cluster
	$(GO) test -count=1 -v -timeout 40m ./test/e2e

# coredns is the DNS server of the tests' cluster.
$(BIN)/coredns: tools/coredns/go.mod tools/coredns/go.sum tools/coredns/main.go
	cd tools/coredns && CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(CURDIR)/$@ .

# Packages whose tests measure in a lab run one at a time (-p 1), so that each has
# the machine to itself.
UNITS = $$($(GO) list ./... | grep -v -e /cmd/ -e /test/)
LABS  = -p 1 -timeout 60m ./cmd/... ./test/...

# If root runs the tests, those that are slow and whose result for an ordinary user
# also holds for root run only as an ordinary user. Of the other tests, make test
# repeats as an ordinary user only those that depend on the user. CONTRIBUTING.md
# says which tests run when.
AS_USER      = -exec $(CURDIR)/scripts/as-user.sh
ONLY_AS_USER = TestKernelOfItsOwn|TestVPCInUML|TestKernelIsResumed|TestLinkDelays|TestLinkLoses
AS_BOTH      = TestComparison|TestKillLeavesNothing|TestHostIsNeverTouched|TestDoctorNamesWhatIsMissing|TestPluginsCommand

# $(1) are flags for go test, $(2) the tests of cmd/cnibench that run as an ordinary
# user.
define run-tests
	scripts/deps.sh test
	@command -v linux.uml >/dev/null || echo "skipped: the tests in User-Mode Linux (sudo apt-get install user-mode-linux kmod)"
	@[ -x $(BIN)/kube ] && [ "$$(id -u)" = 0 ] || echo "skipped: the tests on a real cluster, which need root and bin/kube (make kubernetes)"
	$(GO) test $(1) $(UNITS)
	@if [ "$$(id -u)" != 0 ]; then $(GO) test $(1) $(LABS); else \
		$(GO) test $(1) -skip '^($(ONLY_AS_USER))$$' $(LABS) && echo "again as an ordinary user:" && \
		$(GO) test $(1) $(AS_USER) ./probes ./plugins/... ./testbed/... && \
		$(GO) test $(1) $(AS_USER) -run '^($(2))$$' -p 1 -timeout 60m ./cmd/cnibench; fi
endef

.PHONY: test
test: deps build tools ## unit and lab tests, a sample of each matrix; as root, some of them again as an ordinary user
	$(call run-tests,-short,$(ONLY_AS_USER)|$(AS_BOTH))

.PHONY: test-long
test-long: deps build tools ## the same with whole matrices and all repeats; as root, all of them again as an ordinary user
	$(call run-tests,,.*)

.PHONY: bench-peers
bench-peers: deps build tools ## compare the probes with iperf3 and sockperf, pair by pair
	scripts/deps.sh peers
	$(GO) build -trimpath -o $(BIN)/bench-peers ./cmd/bench-peers
	$(BIN)/bench-peers

.PHONY: simulate
simulate: ## simulate with recorded noise how often verdicts are wrong, and fail if a goal is missed (ten minutes)
	$(GO) run ./cmd/simulate

.PHONY: reference
reference: deps build tools ## repeat the reference run, and make the README's picture from it (Chromium)
	rm -rf results/reference
	$(BIN)/cnibench run --plugins $(PLUGINS) --topology l2,routed,vpc --rounds $(ROUNDS) --out results/reference
	rm -rf results/reference/log
	chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,1500 \
		--screenshot=docs/report.png file://$(CURDIR)/results/reference/report.html

.PHONY: docs
docs: ## write the commands' reference pages and man pages to docs/
	$(GO) test ./cmd/cnibench -run TestDocs -update

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not gofmt-clean: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN)
