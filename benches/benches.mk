# Benchmarks: each prints its table; benches/README.md says what the figures mean. Nothing here is a test.

.PHONY: bench-connect

$(B)/benches/%: benches/%.c $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -D_GNU_SOURCE -pthread $(CFLAGS) $$($(STAGED) --cflags mmsysio) $< -o $@ $(LDFLAGS) $$($(STAGED) --libs mmsysio)

RUN_BENCH := LD_LIBRARY_PATH=$(STAGE)/lib

bench-connect: $(B)/benches/connect
	$(RUN_BENCH) $<

# In memory, to measure the programs and not a disk; set it for another place.
BENCH_DIR ?= /dev/shm

.PHONY: bench-files
bench-files: $(B)/benches/files
	cd $(BENCH_DIR) && $(RUN_BENCH) $(abspath $<)

.PHONY: bench-spawn
bench-spawn: $(B)/benches/spawn
	$(RUN_BENCH) $<

.PHONY: bench-sockets
bench-sockets: $(B)/benches/sockets
	$(RUN_BENCH) $<
