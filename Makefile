# sketchbook: `make sketch`, `make test` and `make lab` set up .venv by themselves; `make` lists all targets.
PHOTOS ?=
OUT ?= out
CHAPTER ?=
export PHOTOS OUT CHAPTER PYTHON
# not the settings of some other environment; and compiled modules are kept (tools/setup.sh installs none), or each
# process would compile PyTorch anew
unexport VIRTUAL_ENV PYTHONHOME PYTHONDONTWRITEBYTECODE
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup sketch test lab app readme refresh export cuda-check clean distclean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1: /p' Makefile

setup:  ## install into .venv if it is missing or stale
	@sh tools/setup.sh

sketch: setup  ## draw four sample photos, or PHOTOS=photo-or-folder, into OUT=out
	@if [ -n "$$PHOTOS" ]; then set -- "$$PHOTOS"; else set -- --samples; fi; \
	status=0; $(BIN)/sketchbook run "$$@" --out "$$OUT" || status=$$?; \
	if [ -d "$$OUT/gallery" ]; then \
	  echo "Your pictures are in $$OUT: gallery (side by side), sketch, shaded, vector (SVG), gif (the drawing in motion)."; fi; \
	exit $$status

test: setup  ## everything CI runs
	@$(BIN)/python tools/test.py

lab: setup  ## read and run the chapters in JupyterLab
	@root=; [ "$$(id -u)" != 0 ] || root=--allow-root; \
	$(BIN)/python -m jupyterlab $$root --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/nbs/index.ipynb \
	  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.news_url=None \
	  --LabApp.app_settings_dir="$$PWD/tools/lab"

app: setup  ## all explorers as one page in your browser, without notebooks
	@$(BIN)/sketchbook app

export: setup  ## write the chapters' code into the package
	@$(BIN)/nbdev_export

refresh: setup  ## run CHAPTER=name (or all) and store its pictures
	@if [ -n "$$CHAPTER" ]; then set -- "$$CHAPTER"; else set --; fi; $(BIN)/python tools/refresh.py "$$@"

cuda-check: setup  ## compare every network on a GPU with the processor, and train two steps of each
	@$(BIN)/python tools/cuda_check.py

readme: setup  ## write README.md from nbs/index.ipynb
	@$(BIN)/python tools/readme.py

clean:  ## remove caches and build leftovers
	@rm -rf _proc _docs build dist .pytest_cache *.egg-info nbs/.ipynb_checkpoints
	@find sketchbook tests tools benchmarks nbs -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## also remove .venv
	@rm -rf .venv
