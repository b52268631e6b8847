#!/bin/sh
# make test: pytest with the arguments given. Without any it is the whole run, which counts the
# lines of apps, config and core that ran in any process; with CI=true too few are a failure.
# Weighed: pytest-cov starts counting after tests/conftest.py has imported half of config.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python}

[ $# -eq 0 ] || exec "$python" -m pytest "$@"

"$python" -m coverage erase
status=0
# A process for each processor, with servers of its own; a file is run by one of them.
"$python" -m coverage run -m pytest -n logical --maxprocesses 4 --dist loadfile || status=$?
"$python" -m coverage combine --quiet
floor=
[ "${CI:-}" = true ] || floor=--fail-under=0 # some tests may have been skipped
"$python" -m coverage report $floor || {
    echo "Too few lines ran (the floor is fail_under in pyproject.toml). Which of a file did not:" >&2
    echo "  $python -m coverage report --show-missing --include='*/name.py'" >&2
    [ $status -ne 0 ] || status=2
}
exit $status
