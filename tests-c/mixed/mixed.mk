# SPDX-License-Identifier: Apache-2.0
# Clients and servers of version 1.0.0 together with those of today. Needs a git clone with the history.
# `make check-mixed MIXED_SEED=...` repeats a run.

MIXED_ROUNDS ?= 100
MIXED_SEED   ?=
MIXED        := $(abspath $(B)/mixed)

.PHONY: check-mixed

##@ Versions together: not a part of make check

$(MIXED)/1.0.0/.installed: tests-c/mixed/build-1.0.sh
	MAKE="$(MAKE)" $< $(MIXED)/1.0.0
	@touch $@

# With the header and the library of version 1.0.0: what it uses is in both.
$(MIXED)/peer: tests-c/mixed/peer.c tests-c/mixed/mixed.h $(MIXED)/1.0.0/.installed
	$(CC) $(TEST_FLAGS) -O2 $(CFLAGS) -I$(MIXED)/1.0.0/stage/include $< -o $@ -L$(MIXED)/1.0.0/stage/lib -lmmsysio -ldl

$(MIXED)/mixed: tests-c/mixed/mixed.c tests-c/mixed/mixed.h
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) -O2 $(CFLAGS) $< -o $@

## check-mixed: clients and servers of version 1.0.0 with those of today; MIXED_ROUNDS=100, MIXED_SEED repeats a run
check-mixed: $(MIXED)/mixed $(MIXED)/peer $(STAGE)/.installed
	$< $(MIXED)/peer $(MIXED)/1.0.0/stage/lib $(STAGE)/lib $(MIXED_ROUNDS) $(MIXED_SEED)
