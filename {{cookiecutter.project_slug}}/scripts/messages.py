"""Write the catalogues of translated texts anew, and compile them.

    python -m scripts.messages [language ...]

Writes locale/django.pot, a catalogue of every language that is there, and those of the languages
named. The same sources give the same files: no date, no line numbers. Needs GNU gettext, which
whatever finds no catalogue does not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
LOCALE = BASE_DIR / "locale"
INSTALL = "apt-get install gettext, or brew install gettext"
# Where people are spoken to; `make run` and its pages speak to developers.
SOURCES = ("apps", "config", "core")


class MessagesError(RuntimeError):
    """Catalogues cannot be written; one sentence for the person at the keys."""


def write(languages: Sequence[str] = ()) -> None:
    """Extract what is marked in the sources. Raises `MessagesError`."""
    if bad := [name for name in languages if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]\w+)?", name)]:
        raise MessagesError(f"{bad[0]} is no language: write L=de, or L=pt_BR as gettext does.")
    LOCALE.mkdir(exist_ok=True)
    known = {path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po")}
    named = [f"--locale={name}" for name in sorted(known | {*languages})] or ["--all"]
    entries = [path.name for path in BASE_DIR.iterdir() if path.is_dir()]
    ignored = [f"--ignore={name}/*" for name in sorted({*entries} - {*SOURCES})]
    command = ["makemessages", *named, *ignored, "--keep-pot", "--add-location=file"]
    _django("xgettext", *command, "--no-obsolete")
    for path in (LOCALE / "django.pot", *LOCALE.glob("*/LC_MESSAGES/django.po")):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'"(POT-Creation|PO-Revision)-Date: .*\n', "", text), "utf-8")


def compile_catalogues() -> None:
    """Make the `.mo` that Django reads, where a `.po` is newer. Raises `MessagesError`."""
    for source in LOCALE.glob("*/LC_MESSAGES/django.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime_ns < source.stat().st_mtime_ns:
            _django("msgfmt", "compilemessages", f"--locale={source.parent.parent.name}")


def _django(program: str, *command: str) -> None:
    """Without settings, so that neither needs an environment."""
    if not shutil.which(program):
        raise MessagesError(f"Catalogues need GNU gettext ({program}): {INSTALL}.")
    variables = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-m", "django", *command, "--verbosity=0"],
        cwd=BASE_DIR,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MessagesError(done.stdout.strip())


def main() -> int:
    try:
        write(sys.argv[1:])
        compile_catalogues()
    except MessagesError as error:
        print(f"messages: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
