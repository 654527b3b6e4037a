# truncquant: `make help` lists the targets.
CC ?= gcc
BUILD ?= build
JOBS ?= $(shell nproc)
DARKNET_INCLUDE ?= /usr/lib/darknet/include

ifdef SANITIZE
BUILD := build-sanitize
OPTIMIZE ?= -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else
OPTIMIZE ?= -O3 -g -march=native
endif

WARN := -std=c11 -Wall -Wextra -Wpedantic -Werror
CPPFLAGS += -D_GNU_SOURCE -Iharness -Ibaselines -I$(BUILD) -isystem $(DARKNET_INCLUDE)
CFLAGS += $(WARN) $(OPTIMIZE) -fno-math-errno -MMD -MP
# Darknet calls these through its PLT; ours take their place (harness/model/darknet.c).
EXPORTS := $(foreach f,gemm error file_error,-Wl,--export-dynamic-symbol=$(f))
LDFLAGS += $(EXPORTS)
LDLIBS += -lsqlite3 -lopenblas -linih -lcrypto -lz -ldl -lm -lpthread

MAIN := harness/main.c
SOURCES := $(filter-out $(MAIN),$(wildcard harness/*/*.c baselines/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
SCHEMA := $(sort $(wildcard results/schema/*.sql))
TEST_SOURCES := $(wildcard tests/*/test_*.c)
TEST_HELPERS := $(filter-out $(TEST_SOURCES),$(wildcard tests/*/*.c))
TEST_OBJECTS := $(TEST_HELPERS:%.c=$(BUILD)/%.o)
TESTS := $(TEST_SOURCES:%.c=$(BUILD)/%)
BATS := $(sort $(wildcard tests/*/*.bats))

.PHONY: all help demo grid figures tables test test-sanitize lint format bench clean
all: $(BUILD)/truncquant ## build the driver

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(BUILD)/truncquant: $(OBJECTS) $(BUILD)/harness/main.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The schema travels inside the binary: each .sql file as a C string.
$(BUILD)/schema.inc: $(SCHEMA) scripts/embed-sql.sh
	@mkdir -p $(@D)
	scripts/embed-sql.sh $(SCHEMA) > $@.tmp && mv $@.tmp $@
$(BUILD)/harness/store/store.o: $(BUILD)/schema.inc

# The commit travels too; the file changes only when the commit does.
.PHONY: FORCE
$(BUILD)/version.inc: FORCE
	@mkdir -p $(@D)
	@scripts/version.sh > $@.tmp; cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@
$(BUILD)/harness/run/numerics.o: $(BUILD)/version.inc

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_OBJECTS) $(OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

$(TESTS:%=%.o) $(TEST_OBJECTS): CPPFLAGS += -Itests

build-tests: $(TESTS) $(BUILD)/truncquant
.PHONY: build-tests

clean: ## remove what was built
	rm -rf build build-sanitize

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
