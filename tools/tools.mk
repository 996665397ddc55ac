# SPDX-License-Identifier: Apache-2.0
# The checks of `make lint` besides rustfmt and clippy.

##@ Lints

.PHONY: lint-packages check-layers check-docs check-words check-format check-spdx check-deny check-ci-file

lint: lint-packages check-layers check-docs check-words check-format check-spdx check-deny check-ci-file

# Installs the packages that the lints need on Debian and Ubuntu (as root), or prints what is missing.
## lint-packages: install the packages that the lints need, as root on Debian or Ubuntu
lint-packages:
	tests-c/checks/install-packages.sh lint

# The dependencies between the layers of src/. The self-test verifies that each kind of violation is found.
## check-layers: dependencies between the layers of src/
check-layers:
	$(PYTHON) -B tools/check-layers.py --self-test
	$(PYTHON) -B tools/check-layers.py

# The names of files and functions in the documentation of the sources. The self-test verifies that each kind of
# violation is found.
## check-docs: names of files and functions in the documentation of the sources
check-docs:
	$(PYTHON) -B tools/check-docs.py --self-test
	$(PYTHON) -B tools/check-docs.py

# The words and phrases in tracked texts. The self-test verifies that each kind of violation is found.
## check-words: standard terms in texts, comments and names
check-words:
	$(PYTHON) -B tools/check-words.py --self-test
	$(PYTHON) -B tools/check-words.py

# The formatting of C, by .clang-format.
## check-format: formatting of C; tools/format-c.sh formats
check-format: lint-packages
	tools/format-c.sh --check

# A licence line in each source.
## check-spdx: a licence line in each source; tools/spdx.sh adds it
check-spdx:
	tools/spdx.sh --check

# The crates in Cargo.lock; skipped without cargo-deny.
## check-deny: crates in Cargo.lock; skipped without cargo-deny
check-deny:
	CARGO="$(CARGO)" CARGO_FLAGS="$(CARGO_FLAGS)" tools/check-deny.sh

# The workflow file of the hosted CI; skipped without check-jsonschema.
## check-ci-file: the workflow file of the hosted CI; skipped without check-jsonschema
check-ci-file:
	PYTHON="$(PYTHON)" tools/check-ci-file.sh
