#!/bin/sh
# Runs targets of the service's Makefile inside the unrendered folder: unrendered.sh check
# cookiecutter copies every file it finds there, ignored ones too, so caches, bytecode, the
# environment and uv.lock stand in build/service instead.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$root/build/service

# First by the Makefile here: the service's own would resolve, and lock, in its folder.
make --no-print-directory -C "$root" build/service/.venv/.installed

export PYTHONPYCACHEPREFIX="$work/pycache"
export RUFF_CACHE_DIR="$work/ruff"
export MYPY_CACHE_DIR="$work/mypy"
export COVERAGE_FILE="$work/coverage/lines"
export PYTEST_ADDOPTS="-o cache_dir=$work/pytest ${PYTEST_ADDOPTS:-}"
exec make --no-print-directory -C "$root/{{cookiecutter.project_slug}}" VENV="$work/.venv" "$@"
