# SPDX-License-Identifier: Apache-2.0
# What `make lint` checks beside rustfmt and clippy.

##@ Lints

.PHONY: lint-packages check-layers check-docs check-format check-spdx check-deny check-ci-file

lint: lint-packages check-layers check-docs check-format check-spdx check-deny check-ci-file

# Installs what the lints need on Debian and Ubuntu (as root), or says what is missing.
## lint-packages: install what the lints need, as root on Debian or Ubuntu
lint-packages:
	tests-c/checks/install-packages.sh lint

# The directions between the layers of src/; the self-test shows that each violation is found.
## check-layers: directions between the layers of src/
check-layers:
	$(PYTHON) -B tools/check-layers.py --self-test
	$(PYTHON) -B tools/check-layers.py

# The names of files and functions in the descriptions of the sources; the self-test shows that each violation is found.
## check-docs: names of files and functions in the documentation of the sources
check-docs:
	$(PYTHON) -B tools/check-docs.py --self-test
	$(PYTHON) -B tools/check-docs.py

# Formatting of C, by .clang-format.
## check-format: formatting of C; tools/format-c.sh formats
check-format: lint-packages
	tools/format-c.sh --check

# A line with the licence in each source.
## check-spdx: a licence line in each source; tools/spdx.sh adds it
check-spdx:
	tools/spdx.sh --check

# The crates in Cargo.lock; skipped without cargo-deny.
## check-deny: crates in Cargo.lock; skipped without cargo-deny
check-deny:
	CARGO="$(CARGO)" CARGO_FLAGS="$(CARGO_FLAGS)" tools/check-deny.sh

# The file of the hosted CI; skipped without check-jsonschema.
## check-ci-file: the file of the hosted CI; skipped without check-jsonschema
check-ci-file:
	PYTHON="$(PYTHON)" tools/check-ci-file.sh
