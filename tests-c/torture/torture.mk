# SPDX-License-Identifier: Apache-2.0
# Torture and soak tests, which take minutes; their short forms are part of `make check`. Both print the seed of their
# random numbers: `make check-torture TORTURE_SEED=...` repeats a run.

TORTURE_SECONDS ?= 60
TORTURE_SEED    ?=
SOAK_MESSAGES   ?= 10000000
SOAK_SEED       ?=

.PHONY: check-torture check-torture-short check-soak check-soak-short
check: check-torture-short check-soak-short

##@ Torture and soak

TORTURE_FLAGS = $(TEST_FLAGS) -O2 $(CFLAGS) $$($(STAGED) --cflags mmsysio) $(filter %.c,$^) -o $@ \
                $$($(STAGED) --libs mmsysio)

$(B)/torture/torture: tests-c/torture/torture.c tests-c/torture/traffic.c tests-c/torture/traffic.h $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) $(TORTURE_FLAGS)

$(B)/torture/soak: tests-c/torture/soak.c $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) $(TORTURE_FLAGS)

## check-torture: peers killed, stopped and restarted, for TORTURE_SECONDS=60; TORTURE_SEED repeats a run
check-torture: $(B)/torture/torture
	LD_LIBRARY_PATH=$(STAGE)/lib $< $(TORTURE_SECONDS) $(TORTURE_SEED)

## check-torture-short: the same for 10 seconds; a part of check
check-torture-short: $(B)/torture/torture
	LD_LIBRARY_PATH=$(STAGE)/lib $< 10 $(TORTURE_SEED)

## check-soak: SOAK_MESSAGES=10000000 must leak no descriptor and no memory; SOAK_SEED repeats a run
check-soak: $(B)/torture/soak
	LD_LIBRARY_PATH=$(STAGE)/lib $< $(SOAK_MESSAGES) $(SOAK_SEED)

## check-soak-short: the same with 200,000 messages; a part of check
check-soak-short: $(B)/torture/soak
	LD_LIBRARY_PATH=$(STAGE)/lib $< 200000 $(SOAK_SEED)
