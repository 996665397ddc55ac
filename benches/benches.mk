# SPDX-License-Identifier: Apache-2.0
# Benchmarks. Each prints a table; benches/README.md explains the figures. They are not tests.

##@ Benchmarks

.PHONY: bench-connect bench-timeouts bench-files bench-spawn bench-sockets bench-ipc_thread bench-ipc_errors bench-ipc_connect bench-tuning

$(B)/benches/%: benches/%.c benches/bench.h $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -D_GNU_SOURCE -pthread $(CFLAGS) $$($(STAGED) --cflags mmsysio) $< -o $@ $(LDFLAGS) $$($(STAGED) --libs mmsysio)

RUN_BENCH := LD_LIBRARY_PATH=$(STAGE)/lib

## bench-ipc_thread: messages within one thread
## bench-ipc_connect: connections
## bench-ipc_errors: calls that fail
## bench-connect: waiting for a server
## bench-tuning: a larger socket buffer, and several messages in one call
## bench-timeouts: how late calls return after their timeout
## bench-sockets: messages over sockets
## bench-spawn: starting programs
bench-connect bench-timeouts bench-spawn bench-sockets bench-ipc_thread bench-ipc_errors bench-ipc_connect bench-tuning: bench-%: $(B)/benches/%
	$(RUN_BENCH) $<

# A directory in memory, so that the programs are measured and not a disk. Override it to use another directory.
BENCH_DIR ?= /dev/shm

## bench-files: copying, removing and listing files, in BENCH_DIR=/dev/shm
bench-files: $(B)/benches/files
	cd $(BENCH_DIR) && $(RUN_BENCH) $(abspath $<)

# Instructions in user space, counted by callgrind.
.PHONY: bench-instructions
## bench-instructions: instructions in user space, counted by callgrind; the same in every run
bench-instructions: $(B)/benches/instructions
	@mkdir -p $(B)/bench
	@$(RUN_BENCH) $(PYTHON) -B benches/instructions.py $< $(B)/bench/instructions.tsv

# Two processes, compared with other libraries.
.PHONY: bench-peers
TRANSPORTS := $(wildcard benches/transports/*.c)
PEER_LIBS  := libqb libzmq libsystemd

$(B)/benches/peers: benches/peers.c benches/bench.h benches/transport.h examples/frames.h $(TRANSPORTS) $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -D_GNU_SOURCE -pthread $(CFLAGS) $$($(STAGED) --cflags mmsysio $(PEER_LIBS)) \
	    $(filter %.c,$^) -o $@ $(LDFLAGS) $$($(STAGED) --libs mmsysio $(PEER_LIBS)) -lnng -lm

## bench-peers: messages between two processes, compared with other libraries
bench-peers: $(B)/benches/peers
	@mkdir -p $(B)/bench
	$(RUN_BENCH) $< $(B)/bench/peers.tsv

# The footprint of the library. One of the programs is linked with the library although it calls none of its functions.
.PHONY: bench-footprint
$(B)/benches/footprint: benches/footprint.c
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -D_GNU_SOURCE $(CFLAGS) $< -o $@ $(LDFLAGS)

$(B)/benches/without: benches/programs/empty.c
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra $(CFLAGS) $< -o $@ $(LDFLAGS)

$(B)/benches/with: benches/programs/empty.c $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra $(CFLAGS) $< -o $@ $(LDFLAGS) -Wl,--no-as-needed $$($(STAGED) --libs mmsysio)

## bench-footprint: size of the library, its memory and its start-up time
bench-footprint: $(B)/benches/footprint $(B)/benches/with $(B)/benches/without
	@mkdir -p $(B)/bench
	@$(RUN_BENCH) $(PYTHON) -B benches/footprint.py $(B)/$(REALNAME) $^ $(B)/bench/footprint.tsv

.PHONY: bench-tool
## bench-tool: `mmipc list` with many sockets
bench-tool: $(STAGE)/.tool-installed
	@$(RUN_BENCH) $(PYTHON) -B benches/tool.py $(STAGE)/bin/mmipc

# Runs all benchmarks and stores their output in $(B)/bench; the plots are for the README.
.PHONY: bench bench-packages bench-plot
## bench: all benchmarks, with their tables in build/bench, then the plots
bench: bench-packages
	benches/run.sh "$(MAKE)" $(B)/bench
	$(MAKE) bench-plot

## bench-packages: install the other libraries, as root on Debian or Ubuntu
bench-packages:
	tests-c/checks/install-packages.sh bench

## bench-plot: draw the plots of the last bench-peers
bench-plot: $(B)/bench/peers.tsv
	$(PYTHON) -B benches/plot.py $< benches/latency.svg benches/throughput.svg

$(B)/bench/peers.tsv:
	$(MAKE) bench-peers

# Writes the tables and plots of the last run to the document.
.PHONY: bench-readme
## bench-readme: write the tables and plots of the last run into benches/README.md
bench-readme: bench-plot
	$(PYTHON) -B benches/fill-readme.py benches/README.md $(B)/bench
