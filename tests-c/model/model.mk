# SPDX-License-Identifier: Apache-2.0
# The model of how clients wait for a server, and the model checker.

.PHONY: check-model

##@ Model of the protocol between waiting clients and servers: not a part of make check

# The model is checked for small numbers of clients, slots and servers, with clients that are killed or stopped, and for
# mutations of the protocol, which must be found.
## check-model: the protocol between waiting clients and servers, and mutations of it, with the model checker spin
check-model:
	tests-c/checks/install-packages.sh model
	$(PYTHON) -B tests-c/model/check.py $(B)/model
