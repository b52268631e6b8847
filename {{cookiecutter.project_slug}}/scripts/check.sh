#!/bin/sh
# make check: everything that needs no test run. All of it runs, then the sum of it is the result.
# Run by scripts/with_servers.py: mypy's Django plugin reads the settings, and some checks of fields
# ask the database for its version.
set -u
cd "$(dirname "$0")/.." || exit 1

status=0
step() {
    echo "== $*"
    "$@" || status=1
}

step ruff check .
step ruff format --check .
step mypy config core apps drills
step lint-imports --no-cache
step sh scripts/check_workflows.sh
step hadolint Dockerfile deploy/compose/pgbouncer/Dockerfile
step check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
step python manage.py makemigrations --check --dry-run
step python -m scripts.migration_lint
step python -m scripts.migration_lint.reminders
step python -m scripts.check_settings staging production
[ $status = 0 ] && echo "All checks passed." || echo "Some checks failed (above)." >&2
exit $status
