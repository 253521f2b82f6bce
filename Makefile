# make sweep    from a fresh Debian 12 with Swift, make and git to tables and pictures
# make test     the whole suite, warnings as errors, lint
# Neither needs the other to have run.

# OpenBLAS; PLplot with the driver for PNG, SVG and PDF; libcrypto for SHA-256; zlib and SQLite for corpora; libcurl for prompts.
PACKAGES = libopenblas-dev libplplot-dev plplot-driver-cairo libssl-dev zlib1g-dev libsqlite3-dev libcurl4
APT_LISTS = /var/lib/apt/lists

PREFIX = /usr/local
CLASS = polynomial
# make build PORTABLE=1 compiles for any CPU of this kind, not for this machine's own.
PORTABLE =
SWIFT_FLAGS = -c release $(if $(PORTABLE),--disable-default-traits)

# Another version of the formatter has other opinions, so `make test` lints with this one only.
FORMATTER = 6.3.1
LINT = swift format lint --strict --recursive --parallel Package.swift Sources Tests

.PHONY: help sweep build test soak fuzz bench-7b lint install clean deps toolchain
.DEFAULT_GOAL = help

help:
	@echo 'make sweep [CLASS=polynomial]   build, then train, evaluate and draw one class'
	@echo 'make test                       every test and the lint'
	@echo 'make soak [KILLS=20 SEED=…]     kill a sweep at random moments and compare'
	@echo 'make fuzz [MUTATIONS=1000000]   read that many damaged tokenizer and model files'
	@echo 'make bench-7b                   a LoRA update of a random Llama-2-7B: minutes, 14 GB of disk, 20 GB of memory'
	@echo 'make build [PORTABLE=1]         .build/release/sandbox'
	@echo 'make install PREFIX=/usr/local  the program and its sweep files (honours DESTDIR)'
	@echo 'make lint | deps | clean        check the format | install packages | remove .build'

sweep: build
	.build/release/sandbox sweep --class $(CLASS)

build: toolchain deps
	swift build $(SWIFT_FLAGS) --product sandbox
	@bin="$$(swift build $(SWIFT_FLAGS) --show-bin-path)" && \
	{ [ .build/release/sandbox -ef "$$bin/sandbox" ] || \
		{ mkdir -p .build/release && ln -sf "$$bin/sandbox" .build/release/sandbox; }; }

test: toolchain deps
	@version="$$(swift format --version)"; \
	if [ "$$version" = "$(FORMATTER)" ]; then echo '$(LINT)'; $(LINT); \
	else echo "lint left out: it needs swift-format $(FORMATTER), this is $$version"; fi
	swift test $(SWIFT_FLAGS) --scratch-path .build/tests --disable-xctest --no-parallel

# The kill test of `make test` with more kills, at moments of the day's own.
KILLS = 20
SEED = $(shell date +%s)
soak: toolchain deps
	SANDBOX_KILLS=$(KILLS) SANDBOX_KILL_SEED=$(SEED) swift test $(SWIFT_FLAGS) \
		--scratch-path .build/tests --disable-xctest --no-parallel --filter KillTests

# The mutation tests of `make test` with more damaged files.
MUTATIONS = 1000000
fuzz: toolchain deps
	SANDBOX_MUTATIONS=$(MUTATIONS) SANDBOX_MUTATION_SEED=$(SEED) swift test $(SWIFT_FLAGS) \
		--scratch-path .build/tests --disable-xctest --no-parallel --filter MutationTests

# A model of Llama-2-7B's shape, made here once, and one LoRA-CFT update on a sequence of 512 tokens whose first 64 are prompt.
MODEL_7B = .build/llama-7b
bench-7b: build
	@mkdir -p .build; printf '%s' '{"model_type": "llama", "vocab_size": 32000, "hidden_size": 4096,' \
		' "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,' \
		' "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "tie_word_embeddings": false}' > .build/llama-7b.json
	[ -d $(MODEL_7B) ] || .build/release/sandbox text init --config .build/llama-7b.json --output $(MODEL_7B) --dtype bf16
	.build/release/sandbox bench tune --model $(MODEL_7B) --lora 8 --batch 1 --length 512 --masked 64 \
		--activation-checkpointing --steps 1 --cold

lint: toolchain
	$(LINT)

install: build
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/sandbox/sweeps"
	install -m 755 .build/release/sandbox "$(DESTDIR)$(PREFIX)/bin/sandbox"
	cp -R sweeps/. "$(DESTDIR)$(PREFIX)/share/sandbox/sweeps/"
	@# What every run's metadata names as the program's commit.
	{ git rev-parse HEAD && { git diff --quiet HEAD || echo dirty; }; } 2>/dev/null \
		> "$(DESTDIR)$(PREFIX)/share/sandbox/commit"
	chmod -R u=rwX,go=rX "$(DESTDIR)$(PREFIX)/share/sandbox"

clean:
	rm -rf .build

toolchain:
	@command -v swift >/dev/null || { echo 'Swift 6.2 or newer is needed and there is no `swift`' \
		'command: install it from https://www.swift.org/install/linux/ and put it on PATH.' >&2; exit 1; }

# Installs what is missing and nothing else; asks for nothing.
deps:
	@command -v dpkg-query >/dev/null || { echo 'This is not a Debian system; make sure of its' \
		'equivalents of: $(PACKAGES)' >&2; exit 0; }; \
	missing=; for package in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || \
			missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	install="apt-get install -y --no-install-recommends$$missing"; \
	if [ "$$(id -u)" = 0 ]; then root=; \
	elif sudo -n true 2>/dev/null; then root='sudo -n'; \
	else echo "Some packages are missing and only root can install them. Run this, then make again:" >&2; \
		if command -v sudo >/dev/null; then echo "  sudo apt-get update && sudo $$install" >&2; \
		else echo "  su -c 'apt-get update && $$install'" >&2; fi; exit 1; \
	fi; \
	as_root="$$root env DEBIAN_FRONTEND=noninteractive"; \
	if ls $(APT_LISTS)/*_Packages* >/dev/null 2>&1; then \
		$$as_root $$install || { $$as_root apt-get update && $$as_root $$install; }; \
	else $$as_root apt-get update && $$as_root $$install; fi
