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
GEN_WARNINGS := -Wall -Wno-unused -Wno-unused-parameter -Wno-sign-compare

ifeq ($(MODE),release)
MODE_FLAGS := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
else ifeq ($(MODE),asan)
MODE_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else ifeq ($(MODE),tsan)
MODE_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
else ifeq ($(MODE),fuzz)
CC := $(CLANG)
MODE_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -D__SANITIZE_ADDRESS__=1
else ifeq ($(MODE),cover)
MODE_FLAGS := -O0 -g --coverage
else
$(error MODE is one of release, asan, tsan, fuzz, cover)
endif

# Goals that must work where libraries are still missing.
BARE_GOALS := deps deps-test test check clean help format
NEEDS_LIBRARIES := $(if $(filter-out $(BARE_GOALS),$(or $(MAKECMDGOALS),all)),yes)

USED_LIBRARIES := $(shell tools/libraries.sh used $(wildcard $(LIBRARY_DIRS)))
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
$(foreach name,$(USED_LIBRARIES),$(eval $(call library_flags,$(name))))
endif
LIBS += -lm -lpthread

ALL_CPPFLAGS := -D_POSIX_C_SOURCE=200809L -I. -I$(GEN) $(LIBRARY_CFLAGS) $(CPPFLAGS)
BASE_CFLAGS := -std=c11 $(MODE_FLAGS)
ALL_CFLAGS := $(BASE_CFLAGS) $(WARNINGS) $(CFLAGS)
GEN_CFLAGS := $(BASE_CFLAGS) $(GEN_WARNINGS) $(CFLAGS)
ALL_LDFLAGS := $(MODE_FLAGS) -Wl,--as-needed $(LDFLAGS)

# Remembers the flags of the last build, so that other flags build anew.
FLAGS_STAMP := $(OUT)/flags
FLAGS_NOW := $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)
$(FLAGS_STAMP): FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' > $@

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

$(LIBRARY): $(LIBRARY_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

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
	$(Q)$(LEMON) -q -d$(dir $<) -T$(LEMON_TEMPLATE) $<
	$(Q)touch $(GEN)/$*.c $(GEN)/$*.h

# --- unit tests -------------------------------------------------------------
# One file, one program. Files in tests/unit/ without the test_ prefix are
# linked into each. ONLY=substring selects.

UNIT_SOURCES := $(sort $(wildcard tests/unit/test_*.c))
UNIT_SHARED := $(filter-out $(UNIT_SOURCES),$(sort $(wildcard tests/unit/*.c)))
UNIT_PROGRAMS := $(UNIT_SOURCES:%.c=$(OUT)/%)
UNIT_CHOSEN := $(if $(ONLY),$(foreach p,$(UNIT_PROGRAMS),$(if $(findstring $(ONLY),$(notdir $(p))),$(p))),$(UNIT_PROGRAMS))
LIBS_cmocka ?= -lcmocka

$(UNIT_PROGRAMS): $(OUT)/%: $(OUT)/%.o $(UNIT_SHARED:%.c=$(OUT)/%.o) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_cmocka) $(LIBS)

.PHONY: unit unit-here
unit:
	$(Q)$(MAKE) MODE=asan unit-here
unit-here: $(UNIT_CHOSEN)
	$(Q)tools/run_unit.sh $(UNIT_CHOSEN)

# --- the rest ---------------------------------------------------------------

.PHONY: clean format help
clean:
	$(Q)rm -rf build

format:
	$(call need,$(CLANG_FORMAT),clang-format-14)
	$(Q)find $(wildcard $(LIBRARY_DIRS) tests bench) -name '*.[ch]' -exec $(CLANG_FORMAT) -i {} +

TOOL_PACKAGES := gcc libc6-dev make pkg-config re2c lemon
TEST_PACKAGES := libcmocka-dev clang-14 libclang-rt-14-dev clang-format-14 clang-tidy-14

.PHONY: deps deps-test
deps:
	$(Q)tools/install_packages.sh $(TOOL_PACKAGES) $(shell tools/libraries.sh packages $(USED_LIBRARIES))
deps-test:
	$(Q)tools/install_packages.sh $(TEST_PACKAGES)

help:
	@echo 'make            build/sluice (MODE=release|asan|tsan|fuzz|cover: build/<mode>/sluice)'
	@echo 'make unit       unit tests under ASan and UBSan; ONLY=substring selects'
	@echo 'make format     format the sources'
	@echo 'make deps       install what building needs (Debian); deps-test: what testing needs'
	@echo 'make clean      remove build/'
	@echo 'V=1 shows commands; CFLAGS, CPPFLAGS, LDFLAGS are appended.'

FORCE:

-include $(LIBRARY_OBJECTS:.o=.d) $(MAIN_OBJECT:.o=.d) $(UNIT_PROGRAMS:=.d) $(UNIT_SHARED:%.c=$(OUT)/%.d)
.SECONDARY:
