# Everything runs in .venv inside the checkout; both main targets set it up by themselves.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2

.PHONY: backtest docs dry-run evaluate test benchmark lint install clean

install: $(STAMP)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# torch first: with the pinned CPU build in place nothing else pulls CUDA's gigabytes.
$(STAMP): pyproject.toml requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -qq --disable-pip-version-check --retries 10 torch==2.13.0
	$(BIN)/python -m pip install -qq --disable-pip-version-check --retries 10 --constraint requirements.txt --editable ".[dev]"
	touch $@

# DATADIR=path TIMERANGE=YYYYMMDD-YYYYMMDD PAIRS="BTC/USDT ETH/USDT" TRADING_MODE=spot|futures
backtest: $(STAMP)
	@$(BIN)/coordinator backtest $(if $(DATADIR),--datadir "$(DATADIR)") $(if $(TIMERANGE),--timerange "$(TIMERANGE)") \
		$(if $(PAIRS),--pairs "$(PAIRS)") $(if $(TRADING_MODE),--trading-mode "$(TRADING_MODE)")

# A bot on the embedded market and exchange: SPEED=3600 is at most an hour a second; Ctrl-C ends it.
dry-run: $(STAMP)
	@$(BIN)/coordinator demo $(if $(SPEED),--speed $(SPEED)) $(if $(DATADIR),--datadir "$(DATADIR)") \
		$(if $(TRADING_MODE),--trading-mode "$(TRADING_MODE)") $(if $(PORT),--port $(PORT))

# Whether it earns its keep, on your candles or the simulated market: QUICK=1 for a first look. The same command goes on.
evaluate: $(STAMP)
	@$(BIN)/coordinator evaluate $(if $(DATADIR),--datadir "$(DATADIR)") $(if $(TIMERANGE),--timerange "$(TIMERANGE)") \
		$(if $(PAIRS),--pairs "$(PAIRS)") $(if $(TRADING_MODE),--trading-mode "$(TRADING_MODE)") $(if $(QUICK),--quick)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

benchmark: $(STAMP)
	$(BIN)/python -m benchmarks

# The site in build/site; the pages are made to be read as they are, too.
docs: $(STAMP)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --retries 10 --constraint requirements.txt --editable ".[docs]"
	$(BIN)/python docs/reference.py
	$(BIN)/mkdocs build --quiet
	@echo build/site/index.html

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info
