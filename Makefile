# truncquant: `make help` lists the targets.
CC ?= gcc
BUILD ?= build
# A program's own threads (OMP_NUM_THREADS, which nproc counts by) are no number of processes.
CORES := $(or $(JOBS),$(shell env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc))
DARKNET_INCLUDE ?= /usr/lib/darknet/include
ONEDNN_INCLUDE ?= /usr/include

ifdef SANITIZE
BUILD := build-sanitize
OPTIMIZE ?= -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else ifdef PORTABLE
BUILD := build-v3
OPTIMIZE := -O3 -g -march=x86-64-v3
else ifdef FUZZ
CC := clang
BUILD := build-fuzz
OPTIMIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -Wno-pass-failed
ONEDNN_INCLUDE := none
else
OPTIMIZE ?= -O3 -g -march=native
endif

WARN := -std=c11 -Wall -Wextra -Wpedantic -Werror
CPPFLAGS += -D_GNU_SOURCE -I. -Iharness -Ibaselines -I$(BUILD) -isystem $(DARKNET_INCLUDE)
CFLAGS += $(WARN) $(OPTIMIZE) -fno-math-errno -fopenmp -MMD -MP
# Darknet calls these through its PLT; ours take their place (harness/model/darknet.c).
EXPORTS := $(foreach f,gemm error file_error,-Wl,--export-dynamic-symbol=$(f))
LDFLAGS += $(EXPORTS)
LDLIBS += -lsqlite3 -lopenblas -ljpeg -lpng -lexif -linih -lcrypto -lz -larchive -lprotobuf-c -ldl -lm -lpthread

MAIN := harness/main.c
SOURCES := $(filter-out $(MAIN),$(sort $(shell find harness -name '*.c') $(wildcard baselines/*.c)))

# The fast engine needs oneDNN; without it the reference engine is the default.
ifneq ($(wildcard $(ONEDNN_INCLUDE)/oneapi/dnnl/dnnl.h),)
CPPFLAGS += -DHAVE_ONEDNN
LDLIBS += -ldnnl
# Where a test asks for it, primitives compute on buffers with a page behind them (tests/onednn/guard.h).
GUARDED := -Wl,--wrap=dnnl_primitive_execute,--wrap=need_aligned,--wrap=free
else
SOURCES := $(filter-out harness/engine/onednn/%,$(SOURCES))
WITHOUT := tests/onednn
endif

# libmatio is loaded when it is asked for (harness/data/formats/matio.h): the one that would have been linked.
MATIO := $(shell objdump -p "$$($(CC) -print-file-name=libmatio.so)" 2>/dev/null | awk '/SONAME/ { print $$2 }')
$(BUILD)/harness/data/formats/matio.o: private CPPFLAGS += -DMATIO_LIBRARY='"$(or $(MATIO),libmatio.so)"'

# The device library, which the program links, too. It is built for any processor of its kind, and chooses its kernels
# when it runs; no operation is contracted, so that all of them give the same bits.
LIBRARY := $(BUILD)/libtruncquant.a
RUNTIME_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard runtime/*.c)))
RUNTIME_FLAGS := $(WARN) $(filter-out -march=%,$(OPTIMIZE)) -fPIC -fvisibility=hidden -ffp-contract=off \
	-fno-math-errno -fno-trapping-math -MMD -MP

OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/onnx.pb-c.o $(RUNTIME_OBJECTS)
SCHEMA := $(sort $(wildcard harness/store/schema/*.sql))
TEST_ROOMS := $(filter-out $(WITHOUT),$(wildcard tests/*))
TEST_SOURCES := $(wildcard $(TEST_ROOMS:%=%/test_*.c))
FUZZER := tests/fuzz/driver.c tests/fuzz/no_darknet.c
PRELOADED := $(wildcard tests/preload/*.c)
TEST_HELPERS := $(filter-out $(TEST_SOURCES) $(FUZZER) $(PRELOADED),$(wildcard $(TEST_ROOMS:%=%/*.c)))
TEST_OBJECTS := $(TEST_HELPERS:%.c=$(BUILD)/%.o)
TESTS := $(TEST_SOURCES:%.c=$(BUILD)/%)
LONG := $(sort $(wildcard tests/long/*.bats))
BATS := $(filter-out $(LONG),$(sort $(wildcard tests/*/*.bats)))

# Settable on the command line: make grid GRID=experiments/demo.grid JOBS=4 DB=results/results.db
# and make figures tables DB=results/results.db GRID=experiments/demo.grid SPLIT=val
DB ?= results/results.db
CHOSEN = $(if $(GRID),--grid "$(GRID)") $(if $(SPLIT),--split "$(SPLIT)")
DEMO := results/demo

.PHONY: all help demo grid install figures tables report paper dist test test-long test-sanitize test-machines fuzz lint format bench crosscheck clean
all: $(BUILD)/truncquant $(LIBRARY) $(BUILD)/libtruncquant.so ## build the driver and the device library

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(BUILD)/truncquant: $(OBJECTS) $(BUILD)/harness/main.o
	@echo "  link $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# What the compiler may use of the processor. All is built anew where that changes, as with -march=native in a
# folder that comes from another machine.
.PHONY: FORCE
$(BUILD)/instructions.inc: FORCE
	@mkdir -p $(@D)
	@$(CC) $(filter-out -M%,$(CFLAGS)) -dM -E -x c /dev/null | LC_ALL=C sort | \
		sed -n 's/^#define __\([A-Z0-9_]*\)__ 1$$/"\1",/p' > $@.tmp
	@cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

# One tells whether the processor has those, the other runs before it does (environment_begin), so they must not need
# them, nor a sanitizer, which has not started then.
$(BUILD)/harness/base/processor.o $(BUILD)/harness/base/environment.o: private CFLAGS := $(WARN) -O2 -MMD -MP \
	$(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),-march=x86-64 -mtune=generic)

$(BUILD)/%.o: %.c $(BUILD)/instructions.inc
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) -D_GNU_SOURCE $(RUNTIME_FLAGS) -c -o $@ $<

# What is recorded of it where it is timed.
$(BUILD)/harness/deploy/latency.o: private CPPFLAGS += \
	-DRUNTIME_FLAGS='"$(filter-out -march=%,$(OPTIMIZE)) -ffp-contract=off"'

# What a file of kernels may use, where the machine is of that kind.
ifneq ($(findstring x86_64,$(shell $(CC) -dumpmachine)),)
$(BUILD)/runtime/avx2.o: private RUNTIME_FLAGS += -mavx2
AVX512 := -mavx512f -mavx512bw -mavx512dq -mavx512vl
$(BUILD)/runtime/vnni.o $(BUILD)/runtime/planes.o: private RUNTIME_FLAGS += $(AVX512) -mavx512vnni
$(BUILD)/runtime/avx512.o: private RUNTIME_FLAGS += $(AVX512)
$(BUILD)/runtime/popcount.o: private RUNTIME_FLAGS += $(AVX512) -mavx512vpopcntdq
$(BUILD)/runtime/transposed.o: private RUNTIME_FLAGS += $(AVX512) -mavx512vnni -mgfni
endif

$(LIBRARY): $(RUNTIME_OBJECTS)
	@echo "  ar $@"
	@rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libtruncquant.so: $(RUNTIME_OBJECTS)
	@echo "  link $@"
	@$(CC) $(RUNTIME_FLAGS) -shared -Wl,-soname,libtruncquant.so.1 -o $@ $^ -lm

# Messages of ONNX as C.
$(BUILD)/onnx.pb-c.c $(BUILD)/onnx.pb-c.h &: harness/deploy/onnx/onnx.proto
	@mkdir -p $(@D)
	@echo "  protoc-c $<"
	@protoc-c --proto_path=$(<D) --c_out=$(BUILD) $<
$(BUILD)/onnx.pb-c.o: $(BUILD)/onnx.pb-c.c $(BUILD)/instructions.inc
	@echo "  cc $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(BUILD)/harness/deploy/onnx/builder.o: $(BUILD)/onnx.pb-c.h

# The schema travels inside the binary: each .sql file as a C string.
$(BUILD)/schema.inc: $(SCHEMA) scripts/embed-sql.sh
	@mkdir -p $(@D)
	scripts/embed-sql.sh $(SCHEMA) > $@.tmp && mv $@.tmp $@
$(BUILD)/harness/store/store.o: $(BUILD)/schema.inc

# So do the queries of the tables.
QUERIES := $(sort $(wildcard harness/report/queries/*.sql))
$(BUILD)/queries.inc: $(QUERIES) scripts/embed-sql.sh
	@mkdir -p $(@D)
	scripts/embed-sql.sh $(QUERIES) > $@.tmp && mv $@.tmp $@
$(BUILD)/harness/report/query.o: $(BUILD)/queries.inc

# And those of the figures, each beside the script that draws it.
FIGURES := $(sort $(wildcard plots/*.sql))
$(BUILD)/figures.inc: $(FIGURES) scripts/embed-sql.sh
	@mkdir -p $(@D)
	scripts/embed-sql.sh $(FIGURES) > $@.tmp && mv $@.tmp $@
$(BUILD)/harness/report/figure.o: $(BUILD)/figures.inc

# And what the page of a database consists of.
PAGE := harness/page/page.html harness/page/page.css harness/page/page.js $(sort $(wildcard harness/page/queries/*.sql))
$(BUILD)/page.inc: $(PAGE) scripts/embed-sql.sh
	@mkdir -p $(@D)
	scripts/embed-sql.sh $(PAGE) > $@.tmp && mv $@.tmp $@
$(BUILD)/harness/page/page.o: $(BUILD)/page.inc

# Which program it is travels too; the file changes only when that does. What decides the bits of results: the rooms
# that compute, and how they are compiled.
COMPUTING := $(shell find $(foreach room,cfg quant data model engine train evaluate,harness/$(room)) -name '*.[ch]') \
	$(wildcard baselines/*.[ch]) $(foreach file,random rounding environment,$(wildcard harness/base/$(file).[ch]))
COMPILED := "$(CC)" -std=c11 $(OPTIMIZE) -fno-math-errno -fopenmp $(filter -DHAVE_%,$(CPPFLAGS))
$(BUILD)/version.inc: FORCE
	@mkdir -p $(@D)
	@scripts/version.sh $(COMPILED) -- $(sort $(COMPUTING)) > $@.tmp && \
		{ cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@; }
$(BUILD)/harness/run/numerics.o: $(BUILD)/version.inc

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_OBJECTS) $(OBJECTS)
	@echo "  link $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) $(GUARDED) -o $@ $^ $(LDLIBS) -lmatio -lcmocka

$(TESTS:%=%.o) $(TEST_OBJECTS): CPPFLAGS += -Itests

demo: ## train the demo grid on Fashion-MNIST, draw its figures, print its table
	@echo building
	@$(MAKE) --silent -j$(CORES) all
	scripts/grid.sh experiments/demo.grid --db $(DEMO).db $(if $(JOBS),--jobs "$(JOBS)")
	@scripts/tables.sh --db $(DEMO).db --output $(DEMO)/tables >/dev/null
	scripts/figures.sh --db $(DEMO).db --output $(DEMO)/figures
	@cat $(DEMO)/tables/accuracy.txt && echo && cat $(DEMO)/tables/accuracy-calibrated.txt

grid: $(BUILD)/truncquant ## run what is pending of GRID (on DATASET), JOBS at a time, into DB, in PRECISION
	@test -n "$(GRID)" || { echo "make grid needs GRID=FILE, such as experiments/demo.grid"; exit 2; }
	scripts/grid.sh "$(GRID)" --db "$(DB)" $(if $(JOBS),--jobs "$(JOBS)") $(if $(DATASET),--set "dataset=$(DATASET)") \
		$(if $(PRECISION),--precision "$(PRECISION)")

# A program that is built with -march=native belongs on this kind of processor alone.
PREFIX ?= /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share
install: $(BUILD)/truncquant install-library ## install the program, its manual, the scripts for grids, figures and data, the device library (PREFIX, DESTDIR)
	install -D $(BUILD)/truncquant "$(DESTDIR)$(PREFIX)/bin/truncquant"
	install -d "$(SHARE)/man/man1" "$(SHARE)/bash-completion/completions" $(foreach folder,scripts plots experiments/networks,\
		"$(SHARE)/truncquant/$(folder)")
	scripts/manual.sh page $(BUILD)/truncquant > $(BUILD)/truncquant.1
	scripts/manual.sh completion $(BUILD)/truncquant > $(BUILD)/truncquant.completion
	install -m 644 $(BUILD)/truncquant.1 "$(SHARE)/man/man1"
	install -m 644 $(BUILD)/truncquant.completion "$(SHARE)/bash-completion/completions/truncquant"
	install -m 644 plots/*.gp "$(SHARE)/truncquant/plots"
	install -m 644 experiments/*.grid experiments/README.md "$(SHARE)/truncquant/experiments"
	install -m 644 experiments/networks/*.cfg "$(SHARE)/truncquant/experiments/networks"
	install -m 644 scripts/common.sh scripts/grids.sh scripts/data-sets.txt "$(SHARE)/truncquant/scripts"
	install scripts/grid.sh scripts/grid-ssh.sh scripts/grid-slurm.sh scripts/figures.sh scripts/tables.sh scripts/data.sh "$(SHARE)/truncquant/scripts"
	for script in grid grid-ssh grid-slurm figures tables data; do \
		ln -sf ../share/truncquant/scripts/$$script.sh "$(DESTDIR)$(PREFIX)/bin/truncquant-$$script"; done

# The library that a device links is for any processor of its kind.
.PHONY: install-library
LIBDIR = $(DESTDIR)$(PREFIX)/lib
install-library: $(LIBRARY) $(BUILD)/libtruncquant.so ## install the device library alone, with its header and pkg-config file
	install -d "$(LIBDIR)/pkgconfig" "$(DESTDIR)$(PREFIX)/include"
	install -m 644 runtime/truncquant.h "$(DESTDIR)$(PREFIX)/include"
	install -m 644 $(LIBRARY) "$(LIBDIR)"
	install $(BUILD)/libtruncquant.so "$(LIBDIR)/libtruncquant.so.1"
	ln -sf libtruncquant.so.1 "$(LIBDIR)/libtruncquant.so"
	sed 's|@PREFIX@|$(PREFIX)|' runtime/truncquant.pc.in > $(BUILD)/truncquant.pc
	install -m 644 $(BUILD)/truncquant.pc "$(LIBDIR)/pkgconfig"

figures: $(BUILD)/truncquant ## draw every figure from DB (of GRID, name or file; of SPLIT, test or val; FIGURE alone), WIDTH (7in) wide, into results/figures/GRID
	TRUNCQUANT=$(BUILD)/truncquant scripts/figures.sh --db "$(DB)" $(CHOSEN) --into results/figures $(if $(WIDTH),--width "$(WIDTH)") \
		$(if $(FIGURE),--figure "$(FIGURE)")

tables: $(BUILD)/truncquant ## write the tables of DB (of GRID, name or file; of SPLIT, test or val) into results/tables and print them
	@TRUNCQUANT=$(BUILD)/truncquant scripts/tables.sh --db "$(DB)" $(CHOSEN) --output results/tables

# Not sanitized: it is loaded before the sanitizer is.
$(BUILD)/tests/preload/%.so: tests/preload/%.c
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CPPFLAGS) $(WARN) -O1 -shared -fPIC -o $@ $< -ldl

build-tests: $(TESTS) $(BUILD)/truncquant $(BUILD)/bench/crosscheck $(PRELOADED:%.c=$(BUILD)/%.so)
.PHONY: build-tests

# Every test once as it is; and those that run our own code once more, sanitized. Leaks of libraries that
# are not ours are listed in tests/lsan.supp.
NOT_SANITIZED := %/exports.bats %/scripts.bats %/fetch.bats %/library.bats %/install.bats %/own_network.bats \
	%/own_quantizer.bats %/versions.bats %/crosscheck.bats %/clean.bats %/surroundings.bats
SANITIZED := $(TESTS:$(BUILD)/%=build-sanitize/%) \
	$(patsubst %,sanitized:%,$(filter-out $(NOT_SANITIZED),$(filter tests/cli/%,$(BATS))))
PROVE = ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 \
	prove -j$(CORES) --timer --failures --comments --exec tests/run

# $(call longest-first,ENTRIES): so that at the end no core waits for another.
LONGEST := $(shell grep -v '^\#' tests/longest)
longest-first = $(filter $(1),$(LONGEST)) $(filter-out $(LONGEST),$(1))

# The arithmetic once more, built for any processor with AVX2, as it comes out on others than this one: what oneDNN and
# OpenBLAS may use, ISA:CORE. Quantizers use neither, so they are tested once; but their fingerprints are to be the same
# everywhere.
FINGERPRINTS := $(BUILD)/tests/quant/test_fingerprint
QUANTIZERS := $(filter-out $(FINGERPRINTS),$(filter $(BUILD)/tests/quant/%,$(TESTS)))
ARITHMETIC := $(FINGERPRINTS) $(filter $(foreach room,engine onednn train evaluate,$(BUILD)/tests/$(room)/%),$(TESTS))
SETTINGS := SSE41:Sandybridge AVX2:Haswell AVX512_CORE:SkylakeX own:unset
MACHINES := $(QUANTIZERS:$(BUILD)/%=machine:own:unset:build-v3/%) \
	$(foreach setting,$(SETTINGS),$(ARITHMETIC:$(BUILD)/%=machine:$(setting):build-v3/%))
BUILD_MACHINES = [ "$$(uname -m)" != x86_64 ] || $(MAKE) --silent -j$(CORES) PORTABLE=1 build-arithmetic
build-arithmetic: $(ARITHMETIC) $(QUANTIZERS)
.PHONY: build-arithmetic

report: $(BUILD)/truncquant ## one page of HTML of DB (of GRID; of SPLIT), results/report.html: figures, tables to sort and filter, each run
	TRUNCQUANT=$(BUILD)/truncquant scripts/figures.sh --db "$(DB)" $(CHOSEN) --output results/report.figures > /dev/null
	$(BUILD)/truncquant page --db "$(DB)" $(CHOSEN) --figures results/report.figures --output results/report.html
	@echo results/report.html

DIST := truncquant-$(shell cat VERSION)
dist: ## a tarball of the last commit, build/truncquant-VERSION.tar.gz, with the published databases: makes figures, tables and the report
	@mkdir -p $(BUILD)
	git archive --format=tar --prefix=$(DIST)/ HEAD | gzip -n > $(BUILD)/$(DIST).tar.gz.tmp && \
		mv $(BUILD)/$(DIST).tar.gz.tmp $(BUILD)/$(DIST).tar.gz && echo $(BUILD)/$(DIST).tar.gz

paper: $(BUILD)/truncquant ## make the report, paper/truncquant.pdf, and CLAIMS.md from the databases in results/published (LaTeX: scripts/setup.sh --paper)
	TRUNCQUANT=$(BUILD)/truncquant scripts/paper.sh

test: lint ## lint, build and run all tests, as they are and sanitized
	@echo building: as it is, sanitized, and for other processors
	@$(MAKE) --silent -j$(CORES) build-tests
	@$(MAKE) --silent -j$(CORES) SANITIZE=1 build-tests
	@$(BUILD_MACHINES)
	@$(PROVE) $(call longest-first,$(TESTS) $(BATS) $(SANITIZED) $(MACHINES))

test-long: lint ## what takes too long for 'make test': hundreds of kills and failing calls, crowds, fuzzing, the crosscheck
	@$(MAKE) --silent -j$(CORES) build-tests
	@tests/long.sh $(LONG)

test-sanitize: ## the sanitized tests alone
	@$(MAKE) --silent -j$(CORES) SANITIZE=1 build-tests
	@$(PROVE) $(call longest-first,$(SANITIZED))

test-machines: ## the tests of the arithmetic as it comes out on other processors
	@$(BUILD_MACHINES)
	@$(PROVE) $(call longest-first,$(MACHINES))

# Built by clang: `make FUZZ=1 build-fuzz/fuzz`.
FUZZ_SOURCES := $(FUZZER) $(filter-out tests/fuzz/test_% tests/fuzz/seeds.c,$(filter tests/fuzz/%,$(TEST_HELPERS)))
FUZZ_OBJECTS := $(FUZZ_SOURCES:%.c=$(BUILD)/%.o) $(filter-out %/model/darknet.o,$(OBJECTS))
$(FUZZ_SOURCES:%.c=$(BUILD)/%.o): CPPFLAGS += -Itests

$(BUILD)/fuzz: $(FUZZ_OBJECTS)
	@echo "  link $@"
	@$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

SECONDS ?= 60
fuzz: ## let libFuzzer feed every reader for SECONDS (60) each, or TARGETS="idx cfg ..." alone
	@tests/fuzz/fuzz.sh $(SECONDS) $(TARGETS)

C_FILES := $(wildcard $(shell find harness -name '*.[ch]') runtime/*.[ch] baselines/*.[ch] runtime/example/*.c tests/*/*.[ch] tests/runtime/programs/*.c bench/*.[ch])

# Variables that bats sets, and what its tests do on purpose: a cd that fails ends the test, a glob stands for one file.
BATS_SETS := SC1091,SC2154,SC2164,SC2144,SC2120,SC2128,SC2178,SC2238
SHELL_FILES = $(wildcard scripts/*.sh bench/*.sh tests/*.sh tests/*/*.sh) tests/run .ci/run
lint: $(BUILD)/schema.inc $(BUILD)/queries.inc $(BUILD)/figures.inc $(BUILD)/page.inc ## check the style, the map of harness/README.md, what cppcheck and shellcheck find
	@python3 scripts/house.py
	@clang-format --dry-run -Werror $(C_FILES)
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		-j$(CORES) --std=c11 -D_GNU_SOURCE -I. -Iharness -Ibaselines $(filter %.c,$(C_FILES))
	@shellcheck --external-sources --severity=warning $(SHELL_FILES)
	@shellcheck --shell=bats --external-sources --severity=warning --exclude=$(BATS_SETS) $(BATS) $(LONG) tests/*/*.bash

format: ## set every C file in the style
	clang-format -i $(C_FILES)

# A program for each bench/*.c but the helpers that they share.
BENCH_HELPERS := bench/median.c bench/random_set.c
BENCHES := $(patsubst %.c,$(BUILD)/%,$(filter-out $(BENCH_HELPERS),$(wildcard bench/*.c)))
BENCH_OBJECTS := $(BENCH_HELPERS:%.c=$(BUILD)/%.o)

$(BUILD)/bench/%: $(BUILD)/bench/%.o $(BENCH_OBJECTS) $(OBJECTS)
	@echo "  link $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench: $(BENCHES) ## measure: run every bench/*.sh
	@for script in $(sort $(wildcard bench/*.sh)); do echo "$$script"; $$script || exit 1; done

crosscheck: $(BUILD)/bench/crosscheck ## every training step a second time in PyTorch, in double precision
	scripts/crosscheck.sh

clean: ## remove what was built
	rm -rf build build-sanitize build-v3 build-fuzz

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
