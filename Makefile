# rota. `make` builds, `make demo` and `make check` also install what they need (tools/deps.sh).
# Variables: B (build directory), SAN (address,undefined or thread), CC, CFLAGS, V=1 (show commands).
B ?= build
SAN ?=
CC := gcc
OPT ?= -O2
VERSION := 0.1.0
WARN := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wundef -Wwrite-strings -Wno-missing-field-initializers $(if $(SAN),-Wno-format-truncation)
ALL_CFLAGS = -std=gnu17 $(OPT) -g -fPIC -fvisibility=hidden -fno-strict-aliasing $(WARN) \
	-Iinclude -Isrc -Ibench -I$(B)/gen -DROTA_VERSION='"$(VERSION)"' -D_GNU_SOURCE \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) $(CFLAGS)
LIBS := -lsqlite3 -lpthread
CLI_LIBS := -ljansson
ALL_LDFLAGS = $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

lib_src := $(wildcard src/base/*.c src/core/*.c src/pool/*.c src/store/*.c src/store/memory/*.c \
	src/store/sqlite/*.c src/run/*.c)
cli_src := $(wildcard src/cli/*.c src/exec/*.c)
bench_src := $(wildcard bench/*.c)
harness_src := $(wildcard tests/harness/*.c)
suites := $(patsubst tests/%/,%,$(filter-out tests/harness/,$(sort $(dir $(wildcard tests/*/*.c)))))
sql := $(wildcard src/store/sqlite/sql/*.sql src/store/sqlite/migrations/*.sql)

# $(call say,CC,file): one short line instead of the command, unless V is given.
say = @$(if $(V),:,printf '  %-5s %s\n' $(1) $(2))
Q := $(if $(V),,@)
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
.PHONY: all lib check check-fast demo deps asan tsan bench format tidy clean install tests
all: $(B)/rota $(B)/librota.so $(B)/librota.a

$(B)/obj/%.o: %.c Makefile | $(B)/gen/sqlite_sql.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(filter tests/%,$<),-Itests/harness) -MMD -MP -c -o $@ $<
$(B)/gen/sqlite_sql.h: tools/embed_sql.sh $(sql)
	@mkdir -p $(@D)
	$(call say,SQL,$@)
	$(Q)sh tools/embed_sql.sh $(sql) > $@.tmp && mv $@.tmp $@

$(B)/librota.a: $(call obj,$(lib_src))
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/librota.so.0: $(call obj,$(lib_src)) tools/librota.map
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,librota.so.0 -Wl,--version-script,tools/librota.map \
		-Wl,-z,relro,-z,now -o $@ $(call obj,$(lib_src)) $(LIBS)
$(B)/librota.so: $(B)/librota.so.0
	$(Q)ln -sf librota.so.0 $@
$(B)/rota: $(call obj,$(cli_src) $(bench_src)) $(B)/librota.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CLI_LIBS) $(LIBS)

define suite_rule
$(B)/tests/$(1): $(call obj,$(wildcard tests/$(1)/*.c) $(harness_src)) $(B)/librota.a
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $$@ $$^ $(CLI_LIBS) $(LIBS)
endef
$(foreach s,$(suites),$(eval $(call suite_rule,$(s))))
tests: $(foreach s,$(suites),$(B)/tests/$(s)) $(B)/rota $(patsubst %.c,$(B)/%,$(wildcard examples/*.c))
# As a user would: the public headers, the shared library, a pedantic C99 compiler.
$(B)/examples/%: examples/%.c $(B)/librota.so $(wildcard include/rota/*.h)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=c99 -pedantic -D_GNU_SOURCE -Wall -Wextra -Werror -g $(if $(SAN),-fsanitize=$(SAN)) \
		-Iinclude -o $@ $< -L$(B) -lrota -lpthread '-Wl,-rpath,$$ORIGIN/..'

deps:
	@sh tools/deps.sh build
check:
	@sh tools/deps.sh check
	@$(MAKE) --no-print-directory -j2 all tests
	@sh tests/run.sh $(B)
demo: deps
	@$(MAKE) --no-print-directory -j2 all
	@sh tools/demo.sh $(B)
asan:
	@$(MAKE) --no-print-directory -j2 B=$(B)-asan SAN=address,undefined OPT=-O1 all tests
	@sh tests/run.sh $(B)-asan
tsan:
	@$(MAKE) --no-print-directory -j2 B=$(B)-tsan SAN=thread OPT=-O1 all tests
	@sh tests/run.sh $(B)-tsan
bench: all
	$(B)/rota bench
PREFIX ?= /usr/local
to = $(DESTDIR)$(PREFIX)
install: all
	install -d $(to)/bin $(to)/include/rota $(to)/lib/pkgconfig
	install -m 755 $(B)/rota $(to)/bin/
	install -m 644 include/rota/*.h $(to)/include/rota/
	install -m 644 $(B)/librota.a $(B)/librota.so.0 $(to)/lib/
	ln -sf librota.so.0 $(to)/lib/librota.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' tools/rota.pc.in > $(to)/lib/pkgconfig/rota.pc
	[ ! -d docs/man ] || { install -d $(to)/share/man/man1 && install -m 644 docs/man/*.1 $(to)/share/man/man1/; }
format:
	clang-format -i $$(git ls-files '*.c' '*.h')
tidy:
	clang-tidy -quiet $(lib_src) $(cli_src) -- -std=gnu17 -Iinclude -Isrc -Ibench -I$(B)/gen -D_GNU_SOURCE -DROTA_VERSION='"$(VERSION)"'
clean:
	rm -rf build build-asan build-tsan build-clang
.DELETE_ON_ERROR:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
