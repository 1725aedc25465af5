.PHONY: help check test test-all notebooks docs demo data

help:            ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 14

check:           ## Lint, format and types
	ruff check .
	ruff format --check .
	mypy

test:            ## The fast tests
	pytest

test-all:        ## All tests, the slow and the browser's among them
	pytest
	pytest -m "slow and not browser"
	pytest -m "slow and browser" --numprocesses=0

notebooks:       ## Run every notebook headless and strip its outputs
	pytest -m "slow or not slow" --numprocesses=0 tests/test_notebooks.py
	nbstripout notebooks/*.ipynb

docs:            ## The documentation, in docs/_site; a warning is an error
	python docs/generate.py
	sphinx-build --quiet --fail-on-warning --keep-going --builder html docs docs/_site

demo:            ## The whole loop on the demo shop
	wa-products demo

data:            ## Write the demo shop again from its seed, and the messy folder
	python data/make_demo.py
	python data/make_messy.py
