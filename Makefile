# Thin: each target is one command of the CLI or of cargo.

CARGO ?= cargo
GISTMILL = $(CARGO) run --quiet --package cli --bin gistmill --

.PHONY: demo test down lint build documents bench-guard

## From nothing to digests in the terminal: stack, topics, tables, processors, two sample chats. With TELEGRAM=loopback a
## chat is read, its digest posted and edited, with a Bot API server on this machine in the place of Telegram.
demo:
	@CARGO='$(CARGO)' $(if $(filter loopback,$(TELEGRAM)),tests/telegram_demo,stack/demo)

## Everything that CI runs, on a stack of its own.
test:
	@stack/needs
	./tests/run

## Stops the demo's stack; its data stays.
down:
	$(GISTMILL) stack down

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- --deny warnings

## Every processor and connector as a program of its own.
build:
	$(CARGO) build --release --workspace --bins

## Instructions of what each record passes through, held to committed figures; needs valgrind.
bench-guard:
	bench/guard

## What is written from the code: the contract for subscribers (docs/EVENTS.md, docs/asyncapi.json, docs/schemas), docs/METRICS.md, docs/openapi.json.
documents:
	$(GISTMILL) topology events --write docs/EVENTS.md
	$(GISTMILL) topology asyncapi --write docs/asyncapi.json
	$(GISTMILL) topology json-schema --write docs/schemas
	$(GISTMILL) metrics --write docs/METRICS.md
	$(GISTMILL) gateway openapi --write docs/openapi.json
