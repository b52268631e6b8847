"""`make upgrade`: raise the pins of pyproject.toml, and the day up to which releases count.

The day is 7 days ago, when a bad or a stolen release is known; DAY=YYYY-MM-DD names another, for a
security fix that cannot wait. It never moves back. Nothing is written when the versions of that day
cannot be resolved. Dependabot and Renovate were weighed: they raise a pin and leave the day, and a
pin past the day cannot be locked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

COOL_DOWN = timedelta(days=7)
_DAY = re.compile(r'(?m)^(exclude-newer = ")(\d{4}-\d\d-\d\d)(T00:00:00Z")$')
_PIN = re.compile(r'(?m)^(\s*"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==)([^"]+)(",.*)$')
_SCRIPTS = Path(__file__).resolve().parent


class UpgradeError(Exception):
    """Nothing was written; the message says why."""


def new_day(current: date, wanted: str, today: date) -> date:
    """The day of the resolution: `wanted`, or a week ago, but never earlier than now."""
    try:
        day = date.fromisoformat(wanted) if wanted else today - COOL_DOWN
    except ValueError:
        raise UpgradeError(f"DAY={wanted} is no day; write it as YYYY-MM-DD.") from None
    return max(current, day)


def upgrade(project: Path, wanted: str = "") -> list[tuple[str, str, str]]:
    """Rewrite `project`; what changed as (package, old, new). Raises `UpgradeError`."""
    text = project.read_text(encoding="utf-8")
    found = _DAY.search(text)
    if not found:
        raise UpgradeError(f'{project} has no line exclude-newer = "YYYY-MM-DDT00:00:00Z".')
    day = new_day(date.fromisoformat(found[2]), wanted, datetime.now(UTC).date())
    text = _DAY.sub(rf"\g<1>{day}\g<3>", text)
    versions = resolve(_PIN.sub(lambda pin: pin[0].replace("==", ">=", 1), text), project.parent)
    rows = [("exclude-newer", found[2], str(day))]
    rows += [(pin[2], pin[3], versions[pin[2].lower()]) for pin in _PIN.finditer(text)]
    text = _PIN.sub(lambda pin: f"{pin[1]}{versions[pin[2].lower()]}{pin[4]}", text)
    project.write_text(text, encoding="utf-8")
    return [row for row in dict.fromkeys(rows) if row[1] != row[2]]


def resolve(project: str, beside: Path) -> dict[str, str]:
    """The newest versions that fit `project`, by package. Raises `UpgradeError`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text(project, encoding="utf-8")
        if (beside / ".python-version").exists():
            shutil.copy(beside / ".python-version", folder)
        finished = subprocess.run(
            ["sh", _SCRIPTS / "install.sh", folder],
            env={**os.environ, "INSTALL_LOCK_ONLY": "1", "UV_PROJECT_ENVIRONMENT": ".venv"},
            check=False,
        )
        if finished.returncode:
            raise UpgradeError("these versions cannot be resolved (above); nothing was changed.")
        packages = tomllib.loads((folder / "uv.lock").read_text(encoding="utf-8"))["package"]
    return {package["name"]: package["version"] for package in packages}


def main() -> int:
    """Upgrade and print the table; returns the exit status."""
    try:
        rows = upgrade(_SCRIPTS.parent / "pyproject.toml", os.environ.get("DAY", ""))
    except UpgradeError as error:
        print(f"upgrade: {error}", file=sys.stderr)
        return 1
    for name, old, new in rows:
        print(f"{name:30} {old:>14} -> {new}")
    print("Run `make check test`, then commit." if rows else "Nothing is newer.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
