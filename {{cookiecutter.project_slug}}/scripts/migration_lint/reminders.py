"""What was promised to be dropped by a day, and stands there after it; a part of `make check`.

    python -m scripts.migration_lint.reminders

A reminder is a comment of a migration, as `manage.py drop_column` writes it:
`# contract by 2026-12-30: drop warehouse_item.note`. The column that nobody drops is written by
every insert and read by whoever comes new to the table.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from scripts.migration_lint.baseline import BASE_DIR

REMINDER = re.compile(r"^\s*# contract by (\S+?): *(.*)$", re.MULTILINE)


def overdue(root: Path, today: date) -> Iterator[str]:
    """A line for each reminder whose day is past, or is none."""
    for path in sorted(root.glob("*/*/migrations/*.py")):
        text = path.read_text(encoding="utf-8")
        for found in REMINDER.finditer(text):
            place = f"{path.relative_to(root)}:{text.count('\n', 0, found.start(1)) + 1}"
            try:
                day = date.fromisoformat(found[1])
            except ValueError:
                yield f"{place}: {found[1]!r} is no day, as 2026-12-30 is."
                continue
            if day < today:
                yield (
                    f"{place}: {day} has passed: {found[2]}. Write that migration and delete this "
                    "comment, or give it a later day and say why."
                )


def main() -> int:
    lines = list(overdue(BASE_DIR, datetime.now(UTC).date()))
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
