# SPDX-License-Identifier: Apache-2.0
# Tests of libmmlib beside the C suite.

.PHONY: check-mmlib-model check-mmlib-completion check-mmlib-exceptions fuzz-arguments

check: check-mmlib-model check-mmlib-completion check-mmlib-exceptions

##@ Tests of libmmlib

# The number of random cases of fuzz-arguments, and the seed, which is printed.
CASES       ?= 100000
SEED        ?=
# Those of check-mmlib-model.
MODEL_CASES := 3000
MODEL       := $(B)/mmlib-model

$(MODEL)/%: tests-c/mmlib-model/%.c $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) -O1 $(CFLAGS) $$($(STAGED) --cflags mmlib) $< -o $@ $$($(STAGED) --libs mmlib)

RUN_MODEL = LD_LIBRARY_PATH=$(STAGE)/lib PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests-c/mmlib-model/check.py $(abspath $(MODEL))/argparse_driver

## check-mmlib-model: random command lines of the argument parser, and basename and dirname, as models predict; a part of check
check-mmlib-model: $(MODEL)/argparse_driver $(MODEL)/path_names
	$(RUN_MODEL) $(MODEL_CASES) $(SEED)
	LD_LIBRARY_PATH=$(STAGE)/lib $(MODEL)/path_names

## fuzz-arguments: CASES=100000 random command lines of the argument parser; SEED repeats a run
fuzz-arguments: $(MODEL)/argparse_driver
	$(RUN_MODEL) $(CASES) $(SEED)

$(B)/mmlib-examples/%: mmlib/examples/%.c $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra $(CFLAGS) $$($(STAGED) --cflags mmlib) $< -o $@ $(LDFLAGS) $$($(STAGED) --libs mmlib)

## check-mmlib-completion: the completion of arguments in bash, of an example program; a part of check
check-mmlib-completion: $(B)/mmlib-examples/arguments
	LD_LIBRARY_PATH=$(STAGE)/lib $(PYTHON) -B tests-c/checks/bash-completion.py $(STAGE)/share/mmlib/mmlib.bash $<

## check-mmlib-exceptions: exceptions of C++, longjmp() and cancellation pass through libmmlib; a part of check
check-mmlib-exceptions: $(STAGE)/.installed
	tests-c/checks/mmlib-exceptions.sh $(STAGE)
