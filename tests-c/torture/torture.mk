# SPDX-License-Identifier: Apache-2.0
# Torture and soak tests, which take minutes; their short forms are part of `make check`. They print the seed of their
# random numbers: `make check-torture TORTURE_SEED=...` repeats a run.

TORTURE_SECONDS ?= 60
TORTURE_SEED    ?=
WAITERS_SEED    ?=
SOAK_MESSAGES   ?= 10000000
SOAK_SEED       ?=

.PHONY: check-torture check-torture-short check-soak check-soak-short
check: check-torture-short check-soak-short

##@ Torture and soak

TORTURE_FLAGS = $(TEST_FLAGS) -O2 $(CFLAGS) $$($(STAGED) --cflags mmsysio) $(filter %.c,$^) -o $@ \
                $$($(STAGED) --libs mmsysio)

$(B)/torture/torture: tests-c/torture/torture.c tests-c/torture/traffic.c tests-c/torture/crowd.c tests-c/torture/traffic.h tests-c/torture/crowd.h $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) $(TORTURE_FLAGS)

$(B)/torture/waiters: tests-c/torture/waiters.c $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) $(TORTURE_FLAGS)

$(B)/torture/soak: tests-c/torture/soak.c $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) $(TORTURE_FLAGS)

## check-torture: peers and waiting clients are killed and stopped; TORTURE_SECONDS=60, TORTURE_SEED, WAITERS_SEED
check-torture: $(B)/torture/torture $(B)/torture/waiters
	LD_LIBRARY_PATH=$(STAGE)/lib $(B)/torture/torture $(TORTURE_SECONDS) '$(TORTURE_SEED)'
	LD_LIBRARY_PATH=$(STAGE)/lib $(B)/torture/torture $(TORTURE_SECONDS) '$(TORTURE_SEED)' 1000
	for clients in 3 5 10 30 100; do LD_LIBRARY_PATH=$(STAGE)/lib $(B)/torture/waiters 2000 $$clients $(WAITERS_SEED) || exit 1; done
	LD_LIBRARY_PATH=$(STAGE)/lib $(B)/torture/waiters 100 1000 $(WAITERS_SEED)

## check-torture-short: the same for 8 seconds and 400 rounds; a part of check
check-torture-short: $(B)/torture/torture $(B)/torture/waiters
	LD_LIBRARY_PATH=$(STAGE)/lib $(B)/torture/torture 8 $(TORTURE_SEED)
	LD_LIBRARY_PATH=$(STAGE)/lib $(B)/torture/waiters 200 5 $(WAITERS_SEED)
	LD_LIBRARY_PATH=$(STAGE)/lib $(B)/torture/waiters 200 12 $(WAITERS_SEED)

## check-soak: SOAK_MESSAGES=10000000 must leak no descriptor and no memory; SOAK_SEED repeats a run
check-soak: $(B)/torture/soak
	LD_LIBRARY_PATH=$(STAGE)/lib $< $(SOAK_MESSAGES) $(SOAK_SEED)

## check-soak-short: the same with 200,000 messages; a part of check
check-soak-short: $(B)/torture/soak
	LD_LIBRARY_PATH=$(STAGE)/lib $< 200000 $(SOAK_SEED)
