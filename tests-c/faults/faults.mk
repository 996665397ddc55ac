# SPDX-License-Identifier: Apache-2.0
# Fault injection: every exported function x every call of the C library that it makes x every errno of that call. See
# tests-c/faults/driver.c.

##@ Fault injection

.PHONY: check-faults check-faults-short

FAULTS := $(wildcard tests-c/faults/*.c tests-c/faults/*.h)

$(B)/faults/faults: $(FAULTS) $(STAGE)/.installed $(B)/tests-programs/module.so
	@mkdir -p $(@D)
	$(CC) $(filter-out -std=c11,$(TEST_FLAGS)) -std=gnu11 -O1 -Wno-missing-field-initializers \
	    $(CFLAGS) $$($(STAGED) --cflags mmlib) \
	    $(filter %.c,$^) -o $@ $$($(STAGED) --libs mmlib)

RUN_FAULTS = LD_LIBRARY_PATH=$(STAGE)/lib $< $(SONAME),$(MMLIB_SONAME) src/mmsysio.map,mmlib/src/mmlib.map $(B)/faults/errors $(B)/faults/documented

# The errors that the pages list, as numbers of this system.
$(B)/faults/documented: $(wildcard include/*.h mmlib/include/*.h man/*.py)
	@mkdir -p $(@D)
	$(PYTHON) man/errors.py include mmlib/include >$@.new
	@mv $@.new $@

# System calls made without the C library could not be intercepted.
## check-faults: each call of the C library that a function makes fails with each of its errnos
## check-faults-short: the same with one errno each; a part of check
check-faults check-faults-short: $(B)/faults/faults $(B)/faults/documented
	@! objdump -d --no-show-raw-insn $(STAGE)/lib/$(SONAME) $(STAGE)/lib/$(MMLIB_SONAME) | awk -F '\t' '$$2 ~ /^(syscall|sysenter|svc|ecall)( |$$)/' | grep . || \
	    { echo "the library makes system calls without the C library, which fault injection does not reach"; exit 1; }
	$(RUN_FAULTS) $(if $(filter check-faults-short,$@),short,full)
