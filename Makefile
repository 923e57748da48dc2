# One non-recursive build. Sources are found by wildcard: a new file needs no
# edit here. `make help` lists the targets, V=1 shows the commands.
#
# MODE selects the flavour; each has its own objects in build/<mode>/. Generated
# code is shared in build/gen/. The release program is build/sluice.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

MODE ?= release
OUT := build/$(MODE)
GEN := build/gen
ifeq ($(MODE),release)
PROGRAM := build/sluice
else
PROGRAM := $(OUT)/sluice
endif

V ?= 0
ifeq ($(V),0)
Q := @
say = @printf '  %-7s %s\n' '$(1)' '$(2)';
else
Q :=
say =
endif

# --- sources ----------------------------------------------------------------

LIBRARY_DIRS := base parser engine sinks cli
find_files = $(sort $(if $(wildcard $(1)),$(shell find $(wildcard $(1)) -type f -name '$(2)')))

C_SOURCES := $(call find_files,$(LIBRARY_DIRS),*.c)
RE_SOURCES := $(call find_files,$(LIBRARY_DIRS),*.re)
GRAMMARS := $(call find_files,parser,*.y)
HEADERS := $(call find_files,$(LIBRARY_DIRS) tests,*.h)
MAIN_SOURCE := $(filter cli/main.c,$(C_SOURCES))
LIBRARY_SOURCES := $(filter-out $(MAIN_SOURCE),$(C_SOURCES))
GEN_SOURCES := $(RE_SOURCES:%.re=$(GEN)/%.c) $(GRAMMARS:%.y=$(GEN)/%.c)
GEN_HEADERS := $(GRAMMARS:%.y=$(GEN)/%.h)

LIBRARY := $(OUT)/libsluice.a
LIBRARY_OBJECTS := $(LIBRARY_SOURCES:%.c=$(OUT)/%.o) $(GEN_SOURCES:$(GEN)/%.c=$(OUT)/gen/%.o)
MAIN_OBJECT := $(MAIN_SOURCE:%.c=$(OUT)/%.o)

# --- tools and flags --------------------------------------------------------

CC := gcc
CLANG ?= clang-14
CLANG_FORMAT ?= clang-format-14
CLANG_TIDY ?= clang-tidy-14
RE2C ?= re2c
LEMON ?= lemon
LEMON_TEMPLATE ?= /usr/share/lemon/lempar.c

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wcast-qual -Wconversion -Wformat=2 -Wvla -Wundef -Wswitch \
	-Wimplicit-fallthrough -Wno-unused-parameter
WERROR ?= -Werror
GEN_WARNINGS := -Wall -Wno-unused -Wno-unused-parameter -Wno-sign-compare

ifeq ($(MODE),release)
MODE_FLAGS := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
else ifeq ($(MODE),asan)
MODE_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else ifeq ($(MODE),tsan)
MODE_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
else ifeq ($(MODE),fuzz)
CC := $(CLANG)
WERROR :=
MODE_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -D__SANITIZE_ADDRESS__=1
else ifeq ($(MODE),cover)
MODE_FLAGS := -O0 -g --coverage
else
$(error MODE is one of release, asan, tsan, fuzz, cover)
endif

# Goals that must work where libraries are still missing.
BARE_GOALS := deps deps-test demo demo-shell demo-kafka test test-suites check check-suites compile asan checks clean help format
NEEDS_LIBRARIES := $(if $(filter-out $(BARE_GOALS),$(or $(MAKECMDGOALS),all)),yes)

USED_LIBRARIES := $(filter-out cmocka,$(shell tools/libraries.sh used $(wildcard $(LIBRARY_DIRS) tests/unit)))
# One variable per library, LIBS_<name>; set it on the command line to link another build of it.
define library_flags
ifndef LIBS_$(1)
LIBS_$(1) := $$(shell tools/libraries.sh flags $(1))
ifeq ($$(strip $$(LIBS_$(1))),)
$$(error cannot build without $(1))
endif
endif
LIBRARY_CFLAGS += $$(shell tools/libraries.sh cflags $(1))
LIBS += $$(LIBS_$(1))
endef
ifdef NEEDS_LIBRARIES
ifeq ($(shell command -v pkg-config),)
$(error missing pkg-config: install the Debian package pkg-config (or: make deps))
endif
ifeq ($(shell command -v $(CC)),)
$(error missing $(CC): install the Debian package $(CC) (or: make deps deps-test))
endif
$(foreach name,$(USED_LIBRARIES),$(eval $(call library_flags,$(name))))
endif
LIBS += -lm -lpthread

ALL_CPPFLAGS := -D_POSIX_C_SOURCE=200809L -I. -I$(GEN) $(LIBRARY_CFLAGS) $(CPPFLAGS)
BASE_CFLAGS := -std=c11 $(MODE_FLAGS)
ALL_CFLAGS := $(BASE_CFLAGS) $(WARNINGS) $(WERROR) $(CFLAGS)
GEN_CFLAGS := $(BASE_CFLAGS) $(GEN_WARNINGS) $(CFLAGS)
ALL_LDFLAGS := $(MODE_FLAGS) -Wl,--as-needed $(LDFLAGS)

# Remember the flags and the members of the last build: other flags build anew,
# a source that is gone leaves the library.
FLAGS_STAMP := $(OUT)/flags
MEMBERS_STAMP := $(OUT)/members
$(FLAGS_STAMP): NOW = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)
$(MEMBERS_STAMP): NOW = $(LIBRARY_OBJECTS)
$(FLAGS_STAMP) $(MEMBERS_STAMP): FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(NOW)' | cmp -s - $@ || echo '$(NOW)' > $@

need = $(Q)command -v $(1) >/dev/null || \
	{ echo "missing $(1): install the Debian package $(2) (or: make deps deps-test)" >&2; exit 1; }

# --- the program ------------------------------------------------------------

.PHONY: all lib FORCE
ifeq ($(MAIN_SOURCE),)
all: lib
	@echo "  no cli/main.c yet: built $(LIBRARY) only"
else
all: $(PROGRAM)
endif
lib: $(LIBRARY)

$(PROGRAM): $(MAIN_OBJECT) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(LIBRARY_OBJECTS) $(MEMBERS_STAMP)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $(LIBRARY_OBJECTS)

$(OUT)/%.o: %.c $(FLAGS_STAMP) | $(GEN_HEADERS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/gen/%.o: $(GEN)/%.c $(FLAGS_STAMP) | $(GEN_HEADERS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) -I$(dir $*) $(GEN_CFLAGS) -MMD -MP -c -o $@ $<

# --- generated code ---------------------------------------------------------
# A scanner may name extra re2c options in a comment: "re2c-options: -c --tags".

$(GEN)/%.c: %.re
	$(call say,RE2C,$<)
	$(call need,$(RE2C),re2c)
	$(Q)mkdir -p $(@D)
	$(Q)$(RE2C) -W --no-generation-date \
		$$(sed -n 's/.*re2c-options: *\([-a-z0-9 ]*[a-z0-9]\).*/\1/p' $<) -o $@ $<

KEYWORDS := $(wildcard parser/keywords.def)
FALLBACK := $(wildcard tools/keywords_fallback.sh)

$(GEN)/%.y: %.y $(KEYWORDS) $(FALLBACK)
	$(Q)mkdir -p $(@D)
	$(Q)$(if $(FALLBACK),sh $(FALLBACK) $< $(KEYWORDS),cat $<) > $@

$(GEN)/%.c $(GEN)/%.h &: $(GEN)/%.y
	$(call say,LEMON,$*.y)
	$(call need,$(LEMON),lemon)
	$(Q)$(LEMON) -c -q -d$(dir $<) -T$(LEMON_TEMPLATE) $<
	$(Q)touch $(GEN)/$*.c $(GEN)/$*.h

# --- unit tests -------------------------------------------------------------
# One file, one program. Files in tests/unit/ without the test_ prefix are
# linked into each. ONLY=substring selects.

chosen = $(if $(ONLY),$(foreach p,$(1),$(if $(strip $(foreach word,$(ONLY),\
	$(findstring $(word),$(notdir $(p))))),$(p))),$(1))

UNIT_SOURCES := $(sort $(wildcard tests/unit/test_*.c))
UNIT_SHARED := $(filter-out $(UNIT_SOURCES),$(sort $(wildcard tests/unit/*.c)))
UNIT_PROGRAMS := $(UNIT_SOURCES:%.c=$(OUT)/%)
# librdkafka starts its threads by thrd_create, of which TSan knows nothing: it dies in them.
UNIT_WITH_RDKAFKA := test_log_kafka_fetch
UNIT_CHOSEN := $(call chosen,$(if $(filter tsan,$(MODE)),\
	$(filter-out $(UNIT_WITH_RDKAFKA:%=$(OUT)/tests/unit/%),$(UNIT_PROGRAMS)),$(UNIT_PROGRAMS)))
LIBS_cmocka ?= -lcmocka

$(UNIT_PROGRAMS): $(OUT)/%: $(OUT)/%.o $(UNIT_SHARED:%.c=$(OUT)/%.o) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_cmocka) $(LIBS)

$(UNIT_PROGRAMS:=.o) $(UNIT_SHARED:%.c=$(OUT)/%.o): | has-cmocka
has-cmocka:
	$(Q)tools/libraries.sh flags cmocka >/dev/null

.PHONY: unit unit-here has-cmocka
unit:
	$(Q)$(MAKE) MODE=asan unit-here
unit-here: $(UNIT_CHOSEN)
	$(Q)tools/run_unit.sh $(UNIT_CHOSEN)

# --- tests against a real Kafka broker --------------------------------------
# tests/kafka/test_<name>.c, linked like unit tests; tests/services/ has the broker.

KAFKA_SOURCES := $(sort $(wildcard tests/kafka/test_*.c))
KAFKA_SHARED := $(filter-out $(KAFKA_SOURCES),$(sort $(wildcard tests/kafka/*.c)))
KAFKA_PROGRAMS := $(KAFKA_SOURCES:%.c=$(OUT)/%)
SHELL_PROGRAMS := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/shell/test_*.c)))

$(KAFKA_PROGRAMS): $(KAFKA_SHARED:%.c=$(OUT)/%.o)
$(KAFKA_PROGRAMS) $(SHELL_PROGRAMS): $(OUT)/%: $(OUT)/%.o $(UNIT_SHARED:%.c=$(OUT)/%.o) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBRARY) $(LIBS_cmocka) $(LIBS)

.PHONY: kafka kafka-here
kafka:
	$(Q)$(MAKE) MODE=asan kafka-here
kafka-here: $(call chosen,$(KAFKA_PROGRAMS))
	$(Q)UNIT_TIMEOUT=600 tests/services/with_kafka tools/run_unit.sh $^

# tests/kafka/test_<name>.sh: shells and servers on a cluster, as their users see them.
KAFKA_SCRIPTS := $(sort $(wildcard tests/kafka/test_*.sh))
.PHONY: kafka-cli
kafka-cli: $(PROGRAM)
	$(Q)printf '%s\n' $(call chosen,$(KAFKA_SCRIPTS)) | \
		SLUICE=$(PROGRAM) tests/services/with_kafka xargs -P 2 -n 1 tools/run_cli.sh

# Both at once: they mostly wait.
.PHONY: kafka-all
kafka-all:
	$(Q)$(MAKE) -j2 kafka kafka-cli

# --- crash tests ------------------------------------------------------------
# tests/crash/crash_<name>.c is one driver; node.c is the program that it kills; the rest is
# linked into all.

CRASH_MAINS := $(sort $(wildcard tests/crash/crash_*.c)) tests/crash/node.c
CRASH_SHARED := $(filter-out $(CRASH_MAINS),$(sort $(wildcard tests/crash/*.c)))
CRASH_PROGRAMS := $(CRASH_MAINS:%.c=$(OUT)/%)

$(CRASH_PROGRAMS): $(OUT)/%: $(OUT)/%.o $(CRASH_SHARED:%.c=$(OUT)/%.o) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Each kill, its place and time come from SEED: the same again with the same number.
KILLS ?= 500
SEED ?= $(shell od -An -N2 -tu2 /dev/urandom)
CRASHES ?= 20000
.PHONY: crash crash-short crash-memory crash-disk crash-writes
# A log on disk, killed at any moment; a node on disk, killed at each of its writes.
crash-disk: $(OUT)/tests/crash/crash_disk
	$(Q)$< $(SEED) $(KILLS) $(SECONDS_MAX)
crash-writes: $(OUT)/tests/crash/crash_writes
	$(Q)TMPDIR=$(firstword $(wildcard /dev/shm) /tmp) $< $(SEED) $(MOMENTS)
crash-memory: $(OUT)/tests/crash/crash_memory
	$(Q)$< $(SEED) $(CRASHES)
crash: $(CRASH_PROGRAMS) $(PROGRAM)
	$(Q)$(if $(ONLY),,$(MAKE) crash-memory crash-disk crash-writes MOMENTS=3)
	$(Q)tests/crash/run.sh $(OUT) $(SEED) $(KILLS) $(ONLY)
crash-short: $(CRASH_PROGRAMS) $(PROGRAM)
	$(Q)$(MAKE) crash-memory CRASHES=2000
	$(Q)$(MAKE) crash-disk KILLS=100 SECONDS_MAX=8
	$(Q)$(MAKE) crash-writes
	$(Q)tests/crash/run.sh $(OUT) $(SEED) 0

# tests/shell/ types at the program through a terminal.
.PHONY: shell
shell: $(SHELL_PROGRAMS) $(PROGRAM)
	$(Q)SLUICE=$(PROGRAM) tools/run_unit.sh $(call chosen,$(SHELL_PROGRAMS))

# --- test suites ------------------------------------------------------------
# A suite is a target that prints "N passed, N failed" and fails when one did.
# tools/run_suites.sh runs several, keeps their output in build/results/ and
# prints the sum. To add one: a target, and its name below.

CHECK_SUITES := compile style tidy unit sql-asan manual
TEST_SUITES := unit sql sql-batch3 sql-batch256 sql-crash sql-cache sql-disk sql-disk-crash cli http shell \
	manual conformance conformance-rest conformance-matrix threads fuzz-regress checks kafka kafka-cli \
	crash-short postgres

# Case files, and suites of the runner over them; ONLY=substring selects cases.
case_files = $(sort $(if $(wildcard tests/$(1)),$(shell find tests/$(1) -name '*.sql' -o -name '*.json')))
define case_suite
.PHONY: $(1)
$(1): $$(PROGRAM)
	$$(Q)$$(PROGRAM) test $(2) $$(if $$(ONLY),--only '$$(ONLY)') $$(call case_files,sql)
endef
# The matrix: however inputs are cut, whatever crashes, the records are the same; with a cache
# the last row of each key is.
$(eval $(call case_suite,sql))
$(eval $(call case_suite,sql-batch3,--batch 3))
$(eval $(call case_suite,sql-batch256,--batch 256))
$(eval $(call case_suite,sql-crash,--crash-every 2))
$(eval $(call case_suite,sql-cache,--cache 1000000))
$(eval $(call case_suite,sql-disk,--store disk))
$(eval $(call case_suite,sql-disk-crash,--store disk --crash-every 2 --batch 3))

# tests/cli/test_<name>.sh runs the program as a user would.
.PHONY: cli
cli: $(PROGRAM)
	$(Q)SLUICE=$(PROGRAM) tools/run_cli.sh $(call chosen,$(sort $(wildcard tests/cli/test_*.sh)))

# What docs/ and statements/ say is what the program does.
.PHONY: manual
manual: $(PROGRAM)
	$(Q)SLUICE=$(PROGRAM) tools/run_cli.sh $(call chosen,$(sort $(wildcard tests/manual/test_*.sh)))

# tests/http/test_<name>.sh starts servers on free ports.
.PHONY: http
http: $(PROGRAM)
	$(Q)SLUICE=$(PROGRAM) tools/run_cli.sh $(call chosen,$(sort $(wildcard tests/http/test_*.sh)))

# tests/postgres/test_<name>.sh writes to a real Postgres, which is its own: some kill it.
.PHONY: postgres
postgres: $(PROGRAM)
	$(Q)printf '%s\n' $(call chosen,$(sort $(wildcard tests/postgres/test_*.sh))) | \
		SLUICE=$(PROGRAM) xargs -P 3 -n 1 tests/services/with_postgres tools/run_cli.sh

.PHONY: sql-asan conformance
sql-asan:
	$(Q)$(MAKE) MODE=asan sql cli http shell

# Cases in ksqlDB's own shape are read from beside the repository. Those named in
# tests/conformance-passing.txt must pass; conformance-all runs every one. Where there are
# none the suites pass with nothing.
CONFORMANCE ?= $(firstword $(wildcard ../conformance ../shared/conformance))
CONFORMANCE_FILES := $(if $(CONFORMANCE),$(sort $(wildcard $(CONFORMANCE)/qtt/*.json)))
PASSING := $(wildcard tests/conformance-passing.txt)
REST_FILES := $(if $(CONFORMANCE),$(sort $(wildcard $(CONFORMANCE)/rest/*.json)))
REST_PASSING := $(wildcard tests/conformance-rest-passing.txt)
define run_rest
	$(Q)$(if $(REST_FILES),$(PROGRAM) test $(1) $(if $(ONLY),--only '$(ONLY)') $(REST_FILES),\
		echo 'no conformance cases: set CONFORMANCE=DIR'; echo '0 passed, 0 failed, 0 skipped')
endef
define run_conformance
	$(Q)$(if $(CONFORMANCE_FILES),$(PROGRAM) test $(1) $(if $(ONLY),--only '$(ONLY)') $(CONFORMANCE_FILES),\
		echo 'no conformance cases: set CONFORMANCE=DIR'; echo '0 passed, 0 failed, 0 skipped')
endef
.PHONY: conformance-all conformance-matrix conformance-rest conformance-rest-all
# The cases of the HTTP endpoint, each against a server of its own on a free port.
conformance-rest: $(PROGRAM)
	$(call run_rest,$(if $(REST_PASSING),--pass-list $(REST_PASSING)))
conformance-rest-all: $(PROGRAM)
	$(call run_rest)
conformance: $(PROGRAM)
	$(call run_conformance,$(if $(PASSING),--pass-list $(PASSING)))
conformance-all: $(PROGRAM)
	$(call run_conformance)
conformance-matrix: $(PROGRAM)
	$(call run_conformance,--batch 3 $(if $(PASSING),--pass-list $(PASSING)))
	$(call run_conformance,--batch 256 $(if $(PASSING),--pass-list $(PASSING)))
	$(call run_conformance,--crash-every 2 $(if $(PASSING),--pass-list $(PASSING)))
	$(call run_conformance,--cache 1000000 $(if $(PASSING),--pass-list $(PASSING)))
	$(call run_conformance,--store disk $(if $(PASSING),--pass-list $(PASSING)))

.PHONY: check test check-suites test-suites
check:
	$(Q)$(MAKE) deps deps-test
	$(Q)$(MAKE) check-suites
test:
	$(Q)$(MAKE) deps deps-test
	$(Q)$(MAKE) test-suites
check-suites:
	$(Q)tools/run_suites.sh $(CHECK_SUITES)
test-suites:
	$(Q)tools/run_suites.sh $(TEST_SUITES)

.PHONY: compile style tidy checks
compile:
	$(Q)$(MAKE) MODE=release all
	$(Q)$(MAKE) MODE=asan all
style: $(GEN_SOURCES)
	$(Q)CC_FLAGS='$(LIBRARY_CFLAGS)' CLANG_FORMAT=$(CLANG_FORMAT) tools/run_checks.sh
tidy: $(GEN_SOURCES)
	$(Q)CC_FLAGS='$(LIBRARY_CFLAGS)' CLANG_TIDY=$(CLANG_TIDY) tools/check_tidy.sh
checks:
	$(Q)tools/test_checks.sh

.PHONY: asan tsan threads
asan:
	$(Q)$(MAKE) MODE=asan all
	$(Q)tools/run_suites.sh unit sql-asan
tsan:
	$(Q)$(MAKE) MODE=tsan all unit-here

# The unit tests that start threads, under TSan: what make test can afford of it.
threads:
	$(Q)$(MAKE) MODE=tsan unit-here ONLY="$(basename $(notdir \
		$(shell grep -l pthread_create\\\|THREADED $(UNIT_SOURCES))))"

# --- fuzzing ----------------------------------------------------------------
# tests/fuzz/fuzz_<name>.c defines LLVMFuzzerTestOneInput (tests/fuzz/fuzz.h).
# Seeds: tests/fuzz/corpus/<name>/; inputs that once failed: tests/fuzz/regress/<name>/.

FUZZ_SECONDS ?= 30
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PROGRAMS := $(FUZZ_SOURCES:%.c=$(OUT)/%)
FUZZ_CHOSEN := $(call chosen,$(FUZZ_PROGRAMS))
FUZZ_DRIVER := $(if $(filter fuzz,$(MODE)),,$(OUT)/tests/fuzz/replay.o)

$(FUZZ_PROGRAMS): $(OUT)/%: $(OUT)/%.o $(FUZZ_DRIVER) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(if $(FUZZ_DRIVER),,-fsanitize=fuzzer) -o $@ $^ $(LIBS)

.PHONY: fuzz fuzz-here fuzz-regress fuzz-regress-here
fuzz:
	$(Q)$(MAKE) MODE=fuzz fuzz-here
fuzz-here: $(FUZZ_CHOSEN)
	$(Q)tools/run_fuzz.sh $(FUZZ_SECONDS) $(FUZZ_CHOSEN)
fuzz-regress:
	$(Q)$(MAKE) MODE=asan fuzz-regress-here
fuzz-regress-here: $(FUZZ_CHOSEN)
	$(Q)tools/run_fuzz.sh replay $(FUZZ_CHOSEN)

# --- benches and coverage ---------------------------------------------------
# bench/bench_<name>.c is one program; bench/bench_<name>.sh drives the release build.

BENCH_SOURCES := $(sort $(wildcard bench/bench_*.c))
BENCH_SHARED := $(filter-out $(BENCH_SOURCES),$(wildcard bench/*.c))
BENCH_PROGRAMS := $(BENCH_SOURCES:%.c=$(OUT)/%)
BENCH_SCRIPTS := $(sort $(wildcard bench/bench_*.sh))
BENCH_CHOSEN := $(call chosen,$(BENCH_PROGRAMS) $(BENCH_SCRIPTS))

$(BENCH_PROGRAMS): $(OUT)/%: $(OUT)/%.o $(BENCH_SHARED:%.c=$(OUT)/%.o) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(OUT)/bench/bench_kafka_batch: $(OUT)/tests/unit/kafka_records.o

# A connector into a Postgres of its own.
.PHONY: bench-postgres
bench-postgres: $(OUT)/bench/bench_postgres
	$(Q)tests/services/with_postgres $<

.PHONY: bench cover cover-here
bench: all $(filter $(OUT)/%,$(BENCH_CHOSEN))
	$(Q)for program in $(BENCH_CHOSEN); do echo "--- $$(basename $$program)"; ./$$program || exit 1; done

# With a broker of their own, minutes long: not part of bench.
.PHONY: bench-kafka bench-peers
bench-kafka bench-peers: bench-%:
	$(Q)bench/peers/$*.sh

cover:
	$(Q)$(MAKE) MODE=cover cover-here
cover-here: $(if $(MAIN_SOURCE),$(PROGRAM)) $(UNIT_CHOSEN)
	$(Q)find $(OUT) -name '*.gcda' -delete
	$(Q)tools/run_unit.sh $(UNIT_CHOSEN)
	$(Q)$(if $(MAIN_SOURCE),$(MAKE) MODE=cover sql cli)
	$(Q)tools/cover.sh $(OUT)

# --- the rest ---------------------------------------------------------------

.PHONY: clean format docs help
clean:
	$(Q)rm -rf build

format:
	$(call need,$(CLANG_FORMAT),clang-format-14)
	$(Q)find $(wildcard $(LIBRARY_DIRS) tests bench) -name '*.[ch]' -exec $(CLANG_FORMAT) -i {} +

# The reference pages, by the program itself; `make manual` checks that they are up to date.
docs: $(if $(MAIN_SOURCE),$(PROGRAM))
	$(Q)mkdir -p docs/reference
	$(Q)for topic in $$($(PROGRAM) help --markdown); do \
		$(PROGRAM) help --markdown $$topic > docs/reference/$$topic.md || exit 1; \
		printf '  %-7s %s\n' DOC docs/reference/$$topic.md; done

TOOL_PACKAGES := gcc libc6-dev make pkg-config re2c lemon
TEST_PACKAGES := libcmocka-dev clang-14 libclang-rt-14-dev clang-format-14 clang-tidy-14 \
	postgresql

# What tests/services/kafka needs; any Java from 17 on will do.
JAVA_VERSION = $(shell java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
BROKER_PACKAGES = $(if $(shell [ '$(or $(JAVA_VERSION),0)' -ge 17 ] && echo yes),,openjdk-17-jre-headless) \
	$(if $(shell command -v mvn),,maven)

.PHONY: deps deps-test
deps:
	$(Q)tools/install_packages.sh $(TOOL_PACKAGES) $(shell tools/libraries.sh packages $(USED_LIBRARIES))
deps-test:
	$(Q)tools/install_packages.sh $(TEST_PACKAGES) $(BROKER_PACKAGES)

# --- the demo ---------------------------------------------------------------
# tools/demo.sh: the tote pool into a Postgres of its own, on a machine that has nothing yet.

.PHONY: demo demo-shell demo-kafka
demo demo-shell: deps
	$(Q)tools/install_packages.sh postgresql
	$(Q)$(MAKE) all
	$(Q)tools/demo.sh $(patsubst demo-%,%,$(filter demo-%,$@))
demo-kafka: deps
	$(Q)tools/install_packages.sh postgresql $(BROKER_PACKAGES)
	$(Q)$(MAKE) all
	$(Q)tools/demo.sh kafka

help:
	@echo 'make demo          sets everything up and shows it at work: a betting pool, live, in Postgres;'
	@echo '                   demo-shell leaves it running under a shell, demo-kafka does it on a broker'
	@echo 'make               build/sluice'
	@echo 'make MODE=asan     build/asan/sluice; likewise tsan, fuzz (clang), cover'
	@echo 'make deps          install what building needs (Debian 12)'
	@echo 'make deps-test     install what checking and testing need beside'
	@echo 'make check         format, layers, homes, sizes, clang-tidy of what changed,'
	@echo '                   unit and sql tests under ASan and UBSan: before every commit'
	@echo 'make test          every suite; installs what is missing first'
	@echo 'make unit          unit tests under ASan and UBSan'
	@echo 'make sql           SQL cases; sql-batch3, sql-batch256, sql-crash, sql-cache, sql-disk: the matrix'
	@echo 'make conformance   cases of ksqlDB that must pass; conformance-all, conformance-matrix;'
	@echo '                   conformance-rest, conformance-rest-all: those of the HTTP endpoint;'
	@echo '                   CONFORMANCE=DIR says where they are'
	@echo 'make cli           the program as a user runs it'
	@echo 'make kafka         the Kafka log against a real broker, which it starts and stops'
	@echo 'make crash         nodes, broker and answers die on a real broker; KILLS=500 SEED=n;'
	@echo '                   crash-short: a minute of it; crash-memory: in one process'
	@echo 'make kafka-cli     shells and servers on a Kafka cluster, with faults'
	@echo 'make postgres      connectors against a real Postgres, which it starts and stops'
	@echo 'make http          the server as its operator sees it'
	@echo 'make shell         the interactive shell, through a terminal'
	@echo 'make asan          unit and SQL cases under ASan and UBSan'
	@echo 'make tsan          unit tests under TSan; threads: those that start threads'
	@echo 'make fuzz          fuzz each target for FUZZ_SECONDS=30; fuzz-regress replays inputs'
	@echo 'make bench         run the benches; bench-postgres: connectors, with a server of its own'
	@echo 'make bench-kafka   Kafka to Kafka beside librdkafka alone; bench-peers: Kafka Streams'
	@echo 'make cover         line coverage by folder'
	@echo 'make docs          write docs/reference/ anew from the tables of the program'
	@echo 'make manual        what docs/ and statements/ show is what the program does'
	@echo 'make format        format the sources'
	@echo 'make clean         remove build/'
	@echo 'ONLY=substrings selects tests, fuzz targets and benches. V=1 shows commands.'
	@echo 'CFLAGS, CPPFLAGS, LDFLAGS are appended; WERROR= lets warnings pass.'

FORCE:

-include $(LIBRARY_OBJECTS:.o=.d) $(MAIN_OBJECT:.o=.d) $(UNIT_PROGRAMS:=.d) \
	$(UNIT_SHARED:%.c=$(OUT)/%.d) $(KAFKA_PROGRAMS:=.d) $(FUZZ_PROGRAMS:=.d) $(BENCH_PROGRAMS:=.d) \
	$(CRASH_PROGRAMS:=.d) $(CRASH_SHARED:%.c=$(OUT)/%.d) $(BENCH_SHARED:%.c=$(OUT)/%.d) $(KAFKA_SHARED:%.c=$(OUT)/%.d)
.SECONDARY:
