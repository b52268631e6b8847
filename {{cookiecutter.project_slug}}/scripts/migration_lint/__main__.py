"""`make lint-migrations`.

    python -m scripts.with_servers -- python -m scripts.migration_lint [--baseline]

Works as the role migrator, in the database of DATABASE_DIRECT_URL, which must be empty: it makes
every table there. `--baseline` prints the table for pyproject.toml that accepts what there is.
"""

from __future__ import annotations

import argparse
import os
import sys


def main() -> int:
    parser = argparse.ArgumentParser(prog="make lint-migrations")
    parser.add_argument("--baseline", action="store_true", help="print what accepts all of today")
    options = parser.parse_args()
    if not os.environ.get("DATABASE_DIRECT_URL"):
        return failed("DATABASE_DIRECT_URL is not set: run  make lint-migrations")
    os.environ["DATABASE_URL"] = os.environ["DATABASE_DIRECT_URL"]

    import django

    django.setup()
    from django.db import OperationalError, connection
    from django.db.migrations.loader import MigrationLoader

    from scripts.migration_lint.baseline import BaselineError, accepted, baseline, judged, ours
    from scripts.migration_lint.lint import lint
    from scripts.migration_lint.squawk import SquawkError

    try:
        loader = MigrationLoader(None)
    except SyntaxError as error:
        return failed(f"{error.filename}:{error.lineno}: {error.msg}")
    except Exception as error:  # whatever a module raises when it is imported
        return failed(f"The migrations cannot be loaded: {type(error).__name__}: {error}")
    if conflicts := loader.detect_conflicts():
        told = "; ".join(f"{app}: {', '.join(names)}" for app, names in conflicts.items())
        return failed(f"Two migrations end one app ({told}): run  manage.py makemigrations --merge")
    if options.baseline:
        print(baseline(loader, ours()))
        return 0
    try:
        tables = connection.introspection.table_names()
    except OperationalError as error:
        return failed(f"The database of DATABASE_DIRECT_URL cannot be used: {error}".strip())
    if tables:
        return failed(
            f"The database has tables ({tables[0]} and others): this makes every one anew, so run "
            "make lint-migrations, which gives it a database of its own."
        )
    try:
        keys = judged(loader, ours(), accepted())
        refusals = lint(loader, connection, keys)
    except (BaselineError, SquawkError) as error:
        return failed(str(error))
    for refusal in refusals:
        print(refusal, end="\n\n")
    if refusals:
        return failed(f"{len(refusals)} refused.")
    print(f"{len(keys)} migrations, none refused.")
    return 0


def failed(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
