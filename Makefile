# boatd: what is built and checked, and how. Everything lands in build/.
# Commands that are missing are installed from Debian's packages when make runs
# as root (internal/tools/need.sh).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# Every build of one commit gives the same bytes: no paths, no clock, and no
# asking git, which not every copy of the source has.
FLAGS := -trimpath -buildvcs=false
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH

STAMP := -X main.version=$(VERSION) -X main.buildDate=$(SOURCE_DATE_EPOCH)
LDFLAGS := -s -w $(STAMP)
# With cgo: the C library and libsecp256k1 are linked in; no resolver or user
# database of the C library, which would want shared libraries.
STATIC := -linkmode external -extldflags -static
CGO_TAGS := netgo,osusergo

# Without inlining but where there is something to compute: docs/adr/0007.
UNHURRIED := cmd atcmd/boat internal/config internal/logs internal/manpage internal/ops internal/prom internal/scrub \
	internal/route internal/cose keystore/keyfile
SMALL := -gcflags=all=-l $(foreach p,runtime internal hash math crypto vendor/golang.org/x/crypto golang.org/x/crypto \
	github.com/decred github.com/ethereum github.com/boatd,-gcflags=$(p)/...=) \
	-gcflags=crypto/tls/...=-l -gcflags=crypto/x509/...=-l \
	$(foreach p,$(UNHURRIED),-gcflags=github.com/boatd/boatd/$(p)/...=-l)

ARM := GOOS=linux GOARCH=arm GOARM=7
ARM_CC := arm-linux-gnueabihf-gcc
MAX_ARM := 12000000

FUZZTIME ?= 10s
SOAKTIME ?= 5m

NEED := internal/tools/need.sh
GO_FILES := $(shell find . -path ./build -prune -o -name '*.go' -print) go.mod go.sum

.PHONY: all build man demo test e2e arm test-arm lint bench bench-arm fuzz soak docs clean peers contracts devchain host test-host help FORCE

all: build

help:
	@echo 'make            boatd for this machine: build/boatd'
	@echo 'make demo       a wallet, funds, a payment; DEMO_KEEP=1 stays up for a terminal'
	@echo 'make test       everything that needs no other programs, with the race detector'
	@echo 'make e2e        against geth, anvil and terminal programs; installs them'
	@echo 'make arm        the static ARMv7 binaries: build/boatd-armv7, build/boatd-armv7-nocgo'
	@echo 'make module     the images of an emulated module; make demo-module shows it at work'
	@echo 'make packages   .deb, .ipk and tarballs for ARMv7 and arm64: build/packages'
	@echo 'make packages-check  the packages, the unit and the init script, judged'
	@echo 'make test-arm   the tests on an emulated ARMv7'
	@echo 'make host       the C library for hosts: its sizes, its examples, firmware for an emulated Cortex-M3'
	@echo 'make test-host  the tests of the C library'
	@echo 'make man        the manual pages: build/man'
	@echo 'make lint       gofmt, go vet, staticcheck, mandoc, the rule which package may use which'
	@echo 'make fuzz       every fuzz target for FUZZTIME ($(FUZZTIME))'
	@echo 'make bench      the benchmarks'
	@echo 'make bench-arm  instructions, memory and sizes on ARMv7, against their budgets'
	@echo 'make contracts  the contracts of the tests, compiled again'
	@echo 'make soak       simulations and fuzzing for a night'
	@echo 'make docs       the pages that are written from the code'
	@echo '.ci/run         all that must pass'

# The product --------------------------------------------------------------

build: build/boatd

# A new version is a new binary, even where no file has changed.
build/stamp: FORCE
	@mkdir -p build
	@echo '$(STAMP)' | cmp -s - $@ || echo '$(STAMP)' > $@

build/boatd: $(GO_FILES) build/stamp | need-gcc
	CGO_ENABLED=1 go build $(FLAGS) -tags $(CGO_TAGS) -ldflags '$(LDFLAGS) $(STATIC)' -o $@ ./cmd/boatd

arm: build/boatd-armv7 build/boatd-armv7-nocgo build/tools/elfgate
	build/tools/elfgate --machine arm --max $(MAX_ARM) build/boatd-armv7 build/boatd-armv7-nocgo

build/boatd-armv7: $(GO_FILES) build/stamp | need-arm
	$(ARM) CGO_ENABLED=1 CC=$(ARM_CC) go build $(FLAGS) $(SMALL) -tags $(CGO_TAGS) -ldflags '$(LDFLAGS) $(STATIC)' -o $@ ./cmd/boatd

build/boatd-armv7-nocgo: $(GO_FILES) build/stamp
	$(ARM) CGO_ENABLED=0 go build $(FLAGS) $(SMALL) -ldflags '$(LDFLAGS)' -o $@ ./cmd/boatd

# The manual pages, dated as the binary is.
man: build/man/boatd.8 build/man/boatd.toml.5 build/man/boat-at.7

build/man/%: build/boatd
	@mkdir -p build/man
	build/boatd man $(basename $*) > $@

build/completion/boatd: build/boatd
	@mkdir -p build/completion
	build/boatd completion bash > $@
	build/boatd completion zsh > build/completion/_boatd
	build/boatd completion fish > build/completion/boatd.fish

# With symbols, to be weighed.
build/boatd-armv7.symbols: $(GO_FILES) build/stamp
	$(ARM) CGO_ENABLED=0 go build $(FLAGS) $(SMALL) -ldflags '$(STAMP)' -o $@ ./cmd/boatd

# What counts instructions, and what is counted beside boatd itself. The programs
# in C are compiled as cgo compiles the library.
COUNTED := $(addprefix build/armcount/,count.so probe probe-nocgo sign poll)

build/armcount/count.so: internal/armcount/plugin/count.c | need-gcc
	@mkdir -p $(@D)
	gcc -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -o $@ $<

build/armcount/probe: $(GO_FILES) | need-arm
	$(ARM) CGO_ENABLED=1 CC=$(ARM_CC) go build $(FLAGS) $(SMALL) -tags $(CGO_TAGS) -ldflags '-s -w $(STATIC)' -o $@ ./internal/armcount/probe

build/armcount/probe-nocgo: $(GO_FILES)
	$(ARM) CGO_ENABLED=0 go build $(FLAGS) $(SMALL) -ldflags '-s -w' -o $@ ./internal/armcount/probe

build/armcount/%: internal/armcount/c/%.c internal/armcount/c/count.h go.mod | need-arm
	@mkdir -p $(@D)
	lib=$$(go list -f '{{.Dir}}' github.com/ethereum/go-ethereum/crypto/secp256k1)/libsecp256k1; \
	$(ARM_CC) -O2 -Wall -Wno-unused-function -I $$lib -I $$lib/src -static -o $@ $<

# Packages -----------------------------------------------------------------

# The names that opkg knows the processors by: OpenWrt's, for a Cortex-A7 with
# NEON, and for any 64-bit one. Others have their own, such as Yocto's
# cortexa7t2hf-neon-vfpv4: opkg takes what /etc/opkg/*.conf lists as arch.
IPK_ARMV7 ?= arm_cortex-a7_neon-vfpv4
IPK_ARM64 ?= aarch64_generic

.PHONY: packages packages-check notices need-arm64 need-packaging
packages: build/boatd-armv7 build/boatd-arm64 build/packager/nfpm build/tools/bom man build/completion/boatd
	VERSION='$(VERSION)' IPK_ARMV7=$(IPK_ARMV7) IPK_ARM64=$(IPK_ARM64) packaging/build.sh

# What others' tools say of the packages and of the unit, the init script at work,
# and the packages built again somewhere else.
packages-check: packages build/boatd build/packager/npm/installed | need-packaging need-qemu
	VERSION='$(VERSION)' go test -C internal/packager -count 1 -timeout 30m ./...

build/packager/npm/installed: internal/packager/package.json internal/packager/package-lock.json | need-npm
	mkdir -p build/packager/npm
	cp internal/packager/package.json internal/packager/package-lock.json build/packager/npm/
	npm ci --prefix build/packager/npm --omit optional --ignore-scripts --no-audit --no-fund
	touch $@

need-packaging:
	@$(NEED) lintian lintian
	@$(NEED) shellcheck shellcheck
	@$(NEED) busybox busybox
	@$(NEED) strace strace
	@$(NEED) systemd-analyze systemd

# The notices of what the device binaries are linked with, after a dependency
# changed.
notices: build/boatd-armv7 build/tools/bom
	build/tools/bom --cc $(ARM_CC) --notices THIRD_PARTY_NOTICES build/boatd-armv7

build/boatd-arm64: $(GO_FILES) build/stamp | need-arm64
	GOOS=linux GOARCH=arm64 CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc go build $(FLAGS) $(SMALL) -tags $(CGO_TAGS) -ldflags '$(LDFLAGS) $(STATIC)' -o $@ ./cmd/boatd

need-arm64:
	@$(NEED) aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross

build/packager/nfpm: internal/packager/go.mod internal/packager/go.sum
	mkdir -p build/packager
	go build -C internal/packager $(FLAGS) -o $(CURDIR)/build/packager/ tool

# Peers and tools ----------------------------------------------------------

devchain: build/devchain

# A full node is much to compile: without cgo it is less, and one set of objects
# serves the program, its tests and the linters.
build/devchain: $(shell find internal/devchain -name '*.go') internal/devchain/go.mod internal/devchain/go.sum
	CGO_ENABLED=0 go build -C internal/devchain $(FLAGS) -ldflags '-s -w' -o $(CURDIR)/$@ .

# The nodes that boatd is tested against, by exact version.
peers: build/peers/geth build/peers/anvil build/peers/npm/installed

build/peers/geth: internal/peers/go.mod internal/peers/go.sum | need-gcc
	go build -C internal/peers $(FLAGS) -ldflags '-s -w' -o $(CURDIR)/$@ github.com/ethereum/go-ethereum/cmd/geth
	touch $@

# Scripts of packages are not run.
build/peers/npm/installed: internal/peers/package.json internal/peers/package-lock.json | need-npm
	mkdir -p build/peers/npm
	cp internal/peers/package.json internal/peers/package-lock.json build/peers/npm/
	npm ci --prefix build/peers/npm --omit dev --ignore-scripts --no-audit --no-fund
	touch $@

# The package is the program.
build/peers/anvil: build/peers/npm/installed
	cp build/peers/npm/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil $@
	touch $@

# The contracts that boatd is tested with, compiled again after a change of a
# source. The compiler is large and only wanted here.
contracts: | need-npm
	mkdir -p build/contracts
	cp internal/peers/package.json internal/peers/package-lock.json build/contracts/
	npm ci --prefix build/contracts --ignore-scripts --no-audit --no-fund
	node internal/contracts/compile.js build/contracts/node_modules internal/contracts

build/tools/%: $(shell find internal/tools -name '*.go') internal/tools/go.mod internal/tools/go.sum
	go build -C internal/tools $(FLAGS) -o $(CURDIR)/$@ ./$*

build/tools/staticcheck build/tools/depguard: internal/tools/go.mod internal/tools/go.sum
	mkdir -p build/tools
	go build -C internal/tools $(FLAGS) -o $(CURDIR)/build/tools/ tool

# The host library ---------------------------------------------------------

HOST := host/boat.c host/boat_line.c host/boat_command.c
HOST_FILES := $(shell find host -type f)
HOST_CFLAGS := -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
HOST_CHECKED := $(HOST_CFLAGS) -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
M3_CFLAGS := -mcpu=cortex-m3 -mthumb -Os -ffreestanding -ffunction-sections -fdata-sections \
	-nostartfiles --specs=nano.specs --specs=nosys.specs
M3_CC := arm-none-eabi-gcc $(HOST_CFLAGS) $(M3_CFLAGS)

# Everything of it that can be compiled here.
host: build/host/boat.elf build/host/ram.o build/host/bare.o build/host/sketch.o build/host/mcu.elf build/host/boat-posix | need-doxygen
	host/test/gate.sh build/host/boat.elf build/host/ram.o
	cd host && doxygen Doxyfile

build/host/boat.elf: $(HOST_FILES) | need-m3
	@mkdir -p build/host
	$(M3_CC) -Wl,-e,boat_poll $(HOST) -o $@

build/host/ram.o: $(HOST_FILES) | need-m3
	@mkdir -p build/host
	$(M3_CC) -c host/test/ram.c -o $@

build/host/bare.o: $(HOST_FILES) | need-m3
	@mkdir -p build/host
	$(M3_CC) -c host/examples/bare/main.c -o $@

build/host/sketch.o: $(HOST_FILES) | need-m3
	@mkdir -p build/host
	arm-none-eabi-g++ -std=gnu++11 -Wall -Wextra -Werror -mcpu=cortex-m3 -mthumb -Os -Ihost -Ihost/test/arduino \
		-include Arduino.h -x c++ -c host/examples/BoatPay/BoatPay.ino -o $@

build/host/mcu.elf: $(HOST_FILES) | need-m3
	@mkdir -p build/host
	$(M3_CC) $(MCU_DEFINES) -Wl,--gc-sections -T host/examples/mps2/mps2.ld host/examples/mps2/main.c host/examples/mps2/board.c $(HOST) -o $@

build/host/boat-posix: $(HOST_FILES) | need-gcc
	@mkdir -p build/host
	gcc $(HOST_CHECKED) host/examples/posix/main.c $(HOST) -o $@

build/host/test: $(HOST_FILES) | need-gcc
	@mkdir -p build/host
	gcc $(HOST_CHECKED) host/test/test.c host/test/sim.c $(HOST) -o $@

build/host/replay: $(HOST_FILES) | need-gcc
	@mkdir -p build/host
	gcc $(HOST_CHECKED) host/test/replay.c host/test/fuzz.c host/test/sim.c $(HOST) -o $@

build/host/fuzz: $(HOST_FILES) | need-clang
	@mkdir -p build/host
	clang $(HOST_CHECKED) -fsanitize=fuzzer host/test/fuzz.c host/test/sim.c $(HOST) -o $@

test-host: build/host/test build/host/replay
	build/host/test
	build/host/replay host/test/corpus/*

.PHONY: need-gcc need-arm need-npm need-qemu need-mandoc need-shells need-count need-m3 need-mcu need-clang need-doxygen
need-gcc:
	@$(NEED) gcc gcc libc6-dev
need-arm:
	@$(NEED) $(ARM_CC) gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
need-npm:
	@$(NEED) npm npm
need-qemu:
	@$(NEED) qemu-arm-static qemu-user-static
need-mandoc:
	@$(NEED) mandoc mandoc
need-shells:
	@$(NEED) zsh zsh
	@$(NEED) fish fish
need-count:
	@$(NEED) qemu-arm qemu-user
	@$(NEED) node nodejs
need-m3:
	@$(NEED) arm-none-eabi-gcc gcc-arm-none-eabi libnewlib-arm-none-eabi
need-mcu:
	@$(NEED) qemu-system-arm qemu-system-arm
need-clang:
	@$(NEED) clang clang libclang-rt-14-dev
need-doxygen:
	@$(NEED) doxygen doxygen

# The module in a box ------------------------------------------------------

# Debian's packages for ARM are fetched into build/module/apt; QEMU runs what
# comes of them.
.PHONY: module demo-module need-module
module: build/module/built

build/module/built: $(shell find internal/module/image -type f) build/module/agent | need-module
	internal/module/image/build.sh build/module build/module/agent
	touch $@

build/module/agent: $(shell find internal/module/agent internal/module/wire -name '*.go')
	$(ARM) CGO_ENABLED=0 go build $(FLAGS) -ldflags '-s -w' -o $@ ./internal/module/agent

need-module: | need-mcu
	@$(NEED) qemu-img qemu-utils
	@$(NEED) mkfs.ext4 e2fsprogs
	@$(NEED) depmod kmod
	@$(NEED) cpio cpio
	@$(NEED) socat socat

# The release before this one, for upgrades and the way back. A copy of the source
# without its history shows the packages' part only, with the same program.
PREVIOUS := ff15abfe
build/previous/boatd-armv7:
	rm -rf build/previous
	mkdir -p build/previous/source
	if git cat-file -e $(PREVIOUS)^{commit} 2>/dev/null; then git archive $(PREVIOUS); else \
		echo 'warning: $(PREVIOUS) is not in the history here: this source stands in for it' >&2; touch build/previous/stand-in; \
		tar -c --exclude ./build --exclude ./.git .; fi | tar -x -C build/previous/source
	$(MAKE) -C build/previous/source build/boatd-armv7 VERSION=previous
	mv build/previous/source/build/boatd-armv7 $@
	rm -rf build/previous/source

# A microcontroller that pays, an emulated module, a power cut.
demo-module: build/devchain build/host/mcu.elf packages module
	go run ./internal/module/demo -package build/packages/boatd_*_$(IPK_ARMV7).ipk

# Checks -------------------------------------------------------------------

# A minute with boatd: a wallet, funds, a payment, over a terminal and a
# development chain.
demo: build/boatd build/devchain
	go run ./internal/demo

# $(call some,flags,pattern,packages): a pattern that matches no test passes
# without a word; here it is an error.
some = @go test $(1) -list '$(2)' $(3) | grep -c '^Test' >/dev/null || { echo 'error: no test matches $(2)'; exit 1; }

# The long random simulations (left out by -short) run without the race detector:
# it would slow them too much, and shorter tests show it the same code.
test: build/devchain build/boatd test-host | need-gcc
	go test -race -short ./...
	$(call some,,Simulation,./wallet/...)
	go test -run Simulation ./wallet/...
	CGO_ENABLED=0 go test -C internal/devchain ./...
	go test -C internal/tools ./...

# Against the real nodes and the real binary (build tag e2e). A peer that is
# missing is an error.
e2e: build/boatd build/devchain peers host packages module build/previous/boatd-armv7 | need-mcu need-shells
	$(call some,-tags e2e,E2E,./...)
	$(call some,-tags e2e,E2EModule,./internal/e2e)
	go test -tags e2e -run E2E -skip E2EModule -count 1 ./...
	go test -tags e2e -run E2EModule -count 1 -parallel 2 -timeout 40m ./internal/e2e

# internal/boundary asks the go command about the code, which is no business of
# a module's processor.
NOT_ON_ARM := github.com/boatd/boatd/internal/boundary

test-arm: | need-qemu
	$(ARM) CGO_ENABLED=0 go test -short -exec qemu-arm-static $$(go list ./... | grep -vxF '$(NOT_ON_ARM)')

lint: build/tools/staticcheck build/tools/depguard man | need-gcc need-mandoc
	@unformatted=$$(find . -path ./build -prune -o -name '*.go' -print0 | xargs -0 gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:" $$unformatted; exit 1; fi
	go vet ./...
	go vet -tags e2e,soak ./...
	CGO_ENABLED=0 go vet -C internal/devchain ./...
	go vet -C internal/tools ./...
	go vet -C internal/packager ./...
	build/tools/staticcheck -tags e2e,soak ./...
	cd internal/devchain && CGO_ENABLED=0 $(CURDIR)/build/tools/staticcheck ./...
	cd internal/tools && $(CURDIR)/build/tools/staticcheck ./...
	cd internal/packager && $(CURDIR)/build/tools/staticcheck ./...
	mandoc -T lint -W warning build/man/*
	mkdir -p build/lint
	sed 's|ROOT|$(CURDIR)|g' internal/tools/depguard.yaml > build/lint/depguard.yaml
	cd build/lint && ../tools/depguard github.com/boatd/boatd/...

# Instructions, memory and sizes on ARMv7 against internal/armcount/budget.txt;
# UPDATE=1 writes that and docs/performance.md again. Never judged by time.
bench-arm: $(COUNTED) build/boatd-armv7 build/boatd-armv7-nocgo packages build/boatd build/devchain build/peers/npm/installed | need-count
	go run ./internal/armcount $(if $(UPDATE),-update)

bench: | need-gcc
	go test -run '^$$' -bench . -benchmem ./...

fuzz: build/host/fuzz | need-gcc
	internal/tools/fuzz.sh $(FUZZTIME)
	host/test/fuzz.sh build/host/fuzz $(FUZZTIME)

# For a night: every fuzz target for longer, every simulation and every test
# that is built with the tag soak, fifty power cuts.
soak: build/host/fuzz build/boatd build/devchain peers packages module | need-gcc
	go test -tags soak -run 'Simulation|Soak' -count 1 -timeout 24h ./...
	E2E_POWER_CUTS=50 go test -tags e2e -run 'E2EModule(PowerCuts|UBIFS)' -count 1 -parallel 1 -timeout 24h ./internal/e2e
	internal/tools/fuzz.sh $(SOAKTIME)
	host/test/fuzz.sh build/host/fuzz $(SOAKTIME)

# What is written from the code: the keys of the configuration, the AT manual,
# the weights of the dependencies.
docs: build/boatd-armv7.symbols build/tools/depsize
	go test ./internal/config -run TestReference -update
	go test ./internal/manual -run TestManual -update
	build/tools/depsize --write docs/dependencies.md build/boatd-armv7.symbols

clean:
	rm -rf build
