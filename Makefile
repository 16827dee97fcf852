# Serment. `make run` and `make test` do everything on a fresh Debian 12 with python3 (3.11 or newer) and make.
# Folders: VENV (default .venv) holds the virtual environment; nothing outside the checkout is written by `make venv`
# but, as root, the system packages named below.

SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# libarchive13: archives other than zip; tesseract-ocr-*: what the reader of text in pictures knows of languages. The
# others serve the tests: real file systems, the age command.
# gcc, libc6-dev, python3-dev: the innermost loops of recognition are compiled; without them they run in plain Python.
RUN_PACKAGES := libarchive13 python3-venv tesseract-ocr-fra tesseract-ocr-eng gcc libc6-dev python3-dev
# linux-libc-dev: the kernel's own numbers, against which the system call filter is compared. rpm: builds an RPM by the recipe.
TEST_PACKAGES := age dosfstools exfatprogs exfat-fuse ntfs-3g e2fsprogs fuse3 util-linux mount rsync git passwd linux-libc-dev xdg-utils libfile-mimeinfo-perl shared-mime-info psmisc rpm vim bindfs
# Real browsers, and npm where none is there: what cannot be had is a skipped test with that reason.
BROWSER_PACKAGES := chromium chromium-driver firefox-esr $(if $(shell command -v npm),,nodejs npm)
# A desktop without a screen, where a sealed document is double-clicked; the same: skipped where it cannot be had.
DESKTOP_PACKAGES := xvfb openbox pcmanfm xdotool libreoffice-writer libreoffice-gtk3 dbus libglib2.0-bin dunst at-spi2-core python3-gi gir1.2-gtk-3.0 scrot
# The machine of `make test-laptop`, and what makes its disk and its sticks.
LAPTOP_PACKAGES := qemu-system-x86 qemu-utils mmdebstrap e2fsprogs dosfstools exfatprogs ntfs-3g fdisk cpio zstd cryptsetup-bin systemd-container swtpm rpm
# package: the machines are given the Debian package, as an administrator installs it; files: quicker, without building one.
FROM ?= package
# What systemd-creds needs of Debian to use a TPM.
TPM_LIBRARIES := libtss2-esys-3.0.2-0,libtss2-mu0,libtss2-rc0,libtss2-tcti-device0
# What builds the packages.
BUILD_PACKAGES := python3-venv python3-dev gcc libc6-dev binutils dpkg-dev
# As root the tests have mounts of their own: what they mount is seen by nobody else and ends with them.
APART := $(shell unshare --mount --propagation private true 2>/dev/null && echo unshare --mount --propagation private)
# A virtual environment holds the path of its checkout: in one that was moved or copied it is made again.
MOVED := $(shell test ! -s $(STAMP) || test "$$(cat $(STAMP))" = "$(CURDIR)" || echo yes)

.DEFAULT_GOAL := help
.PHONY: help venv run demo test test-laptop test-laptop-quick bench lint audit deb rpm lock wheels build-packages messages system-packages test-packages laptop-packages clean $(if $(MOVED),$(STAMP))

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

venv: $(STAMP) ## set up the virtual environment; the commands are then in .venv/bin

$(STAMP): pyproject.toml setup.py constraints.txt agent/locale/fr/LC_MESSAGES/serment.po $(wildcard agent/detection/loops/*.px[di] agent/detection/loops/*.pyx agent/audit/glance/*.pyx agent/audit/packing/*.pyx) | system-packages
	$(if $(MOVED),false,$(BIN)/python -m pip --version >/dev/null 2>&1) || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	echo "$(CURDIR)" > $@

system-packages:
	@packaging/system-packages $(RUN_PACKAGES)

test-packages:
	@packaging/system-packages $(TEST_PACKAGES)
	@CI= packaging/system-packages $(BROWSER_PACKAGES)
	@CI= packaging/system-packages $(DESKTOP_PACKAGES)

laptop-packages:
	@packaging/system-packages $(LAPTOP_PACKAGES)

run: venv ## start the agent with an embedded collector, on your real folders (CONFIG=agent.toml for others)
	$(BIN)/serment run --foreground $(if $(CONFIG),--config "$(CONFIG)")

demo: venv ## show each action once, on scratch folders and invented documents
	$(BIN)/python -m tests.demo

test: venv test-packages ## all tests; those on real devices need root (ARGS='-k policy' for some; SERMENT_LONG=1, SERMENT_FUZZ_SECONDS=60: longer campaigns)
	$(APART) $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --reruns 3 --reruns-delay 8 $(ARGS)

lint: venv ## ruff, format, mypy, import contracts, catalogues
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.catalogue

audit: venv ## what bandit and pip-audit find (both are put into build/audit; asks PyPI about faults known of the locked libraries)
	test -x build/audit/bin/pip-audit || { $(PYTHON) -m venv build/audit && build/audit/bin/pip install --quiet --disable-pip-version-check bandit pip-audit; }
	build/audit/bin/bandit --quiet --recursive --severity-level high --confidence-level medium --skip B103 agent collector
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement packaging/requirements/agent.txt --requirement packaging/requirements/collector.txt

messages: venv ## take new texts into the catalogue
	$(BIN)/pybabel -q extract -F packaging/babel.cfg -k N_ -k _ -o agent/locale/serment.pot --no-location --sort-output --project=serment .
	$(BIN)/pybabel -q update -D serment -i agent/locale/serment.pot -d agent/locale -l fr --no-fuzzy-matching --no-wrap
	$(BIN)/pybabel -q compile -D serment -d agent/locale -l fr

bench: venv test-packages ## figures against the budgets (ARGS="--json FILE": also there, to compare later; ARGS=audit: one suite)
	$(BIN)/python -m bench $(ARGS)

test-laptop: venv laptop-packages ## on the virtual laptop: real systemd, udev, sticks (root; minutes; ARGS='-k vfat', SERMENT_LAPTOP_IMAGES=bookworm)
	PATH="$(CURDIR)/$(BIN):$$PATH" nice tests/laptop/build-image
	PATH="$(CURDIR)/$(BIN):$$PATH" nice tests/laptop/build-image --backports
	PATH="$(CURDIR)/$(BIN):$$PATH" nice tests/laptop/build-image --suite trixie
	PATH="$(CURDIR)/$(BIN):$$PATH" nice tests/laptop/build-image --name bookworm-tpm --include $(TPM_LIBRARIES)
	SERMENT_LAPTOP=1 SERMENT_LAPTOP_FROM=$(FROM) nice $(BIN)/python -m pytest -n0 -o timeout=1500 tests/laptop $(ARGS)

test-laptop-quick: venv ## one boot of it, from the package (minutes; skipped, with the reason, where there can be no machine)
	@CI= packaging/system-packages $(LAPTOP_PACKAGES) $(BUILD_PACKAGES)
	SERMENT_LAPTOP=1 SERMENT_LAPTOP_FROM=package nice $(BIN)/python -m pytest -n0 -q -s -o timeout=900 -p no:cacheprovider tests/laptop/test_quick.py $(ARGS)

deb: build-packages ## dist/serment_*.deb and dist/serment-collector_*.deb, on Debian 12 (minutes; no root but for missing tools)
	packaging/build/make.sh

rpm: build-packages ## dist/*.rpm from the same files (minutes)
	@packaging/system-packages rpm
	packaging/rpm/make.sh

build-packages:
	@packaging/system-packages $(BUILD_PACKAGES)

lock: ## write packaging/requirements/*.txt anew from pyproject.toml and constraints.txt (needs uv)
	packaging/requirements/lock

wheels: venv ## are all libraries to be had for aarch64? (ARCH=…; asks PyPI, keeps nothing)
	PYTHON=$(BIN)/python packaging/requirements/wheels $(or $(ARCH),aarch64)

clean:
	rm -rf $(VENV) build dist *.egg-info
