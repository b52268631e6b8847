# example:all
"""Take the examples out of the service: their folders, their files and the lines that wire them.

A comment that ends a line in `example:NAME` marks the line; alone on the first line of a file it
marks the file. A marked name owns `apps/NAME` and `tests/*/NAME`. The name `all` stands for what
serves the examples and goes with them, such as this script. Only files that git tracks are read,
and only a tree without changes is touched, so that `git restore .` undoes it all.

Standard library only: it runs before there is an environment, with any Python 3 of the machine.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = "docs/operations/removing-examples.md"
# The openings and endings of the comments in our files; make's help may follow after `##`.
MARK = re.compile(
    r"(?:#|//|--|/\*|<!--|\{#)\s*example:(?P<name>[a-z][a-z0-9_]*)\s*(?:\*/|-->|#\}|## .*)?$"
)
SHOWN = 5  # files of a dirty tree; more would hide the sentence


def git(*words: str) -> str:
    """What git says of this folder. Exits with one sentence where it cannot say anything."""
    if not shutil.which("git"):
        sys.exit("remove-examples needs git, which shows and undoes what it does: install git.")
    done = subprocess.run(["git", *words], check=False, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(
            f"remove-examples needs {ROOT} in a git repository ({done.stderr.strip()}): "
            "run  git init && git add . && git commit -m 'Start'  first."
        )
    return done.stdout


def refuse_changes() -> None:
    """Exits unless everything is committed, since an undo would take other changes along."""
    changed = git("status", "--porcelain", "--", ".").splitlines()
    if changed:
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        names = ", ".join(line[3:] for line in changed[:SHOWN])
        sys.exit(f"Changes here are not committed ({names}{more}): commit or stash them first.")


def lines_of(path: Path) -> list[str]:
    """The lines with their ends, none for what is no text or no file of ours."""
    if path.is_symlink() or not path.is_file():
        return []
    try:
        return path.read_bytes().decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return []


def mark(line: str) -> re.Match[str] | None:
    return MARK.search(line.rstrip())


def is_marked_whole(lines: list[str]) -> bool:
    """Whether the first line, below a `#!`, is a mark and nothing else."""
    first = next((line.strip() for line in lines if not line.startswith("#!")), "")
    return MARK.match(first) is not None


def folders_of(name: str) -> list[Path]:
    return [one for one in (ROOT / "apps" / name, *ROOT.glob(f"tests/*/{name}")) if one.is_dir()]


def remove(files: dict[Path, list[str]], folders: list[Path]) -> list[str]:
    """Delete folders, files and lines; a line of report for each place."""
    report = []
    for folder in folders:
        shutil.rmtree(folder)  # with the bytecode, which would keep the package importable
        report.append(f"{folder.relative_to(ROOT)}/")
    for path, lines in files.items():
        if any(folder in path.parents for folder in folders):
            continue
        if is_marked_whole(lines):
            path.unlink()
            report.append(str(path.relative_to(ROOT)))
            continue
        kept = [line for line in lines if not mark(line)]
        path.write_bytes("".join(kept).encode())
        report.append(f"{path.relative_to(ROOT)}, {len(lines) - len(kept)} of {len(lines)} lines")
    return report


def skip_in_updates(names: list[str]) -> list[str]:
    """Tell cruft to add no folder of them again: it remembers those that were there, not new ones.

    Returns a line of report, or of advice where the owner has a table for cruft already.
    """
    project = ROOT / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    skip = json.dumps([path for name in names for path in (f"apps/{name}", f"tests/*/{name}")])
    if not names:
        return []
    if "[tool.cruft]" in text:
        return [f"pyproject.toml: add to the skip list of cruft: {skip}"]
    project.write_text(f"{text}\n[tool.cruft]\nskip = {skip}\n", encoding="utf-8")
    return ["pyproject.toml, a skip list for updates by cruft"]


def main() -> None:
    refuse_changes()
    tracked = [ROOT / name for name in git("ls-files", "-z").split("\0") if name]
    read = {path: lines_of(path) for path in tracked}
    files = {path: lines for path, lines in read.items() if any(map(mark, lines))}
    marks = [found["name"] for lines in files.values() for found in map(mark, lines) if found]
    if not marks:
        print("No examples are left.")
        return
    names = sorted(set(marks) - {"all"})
    advice = "".join(line for line in read.get(ROOT / PAGE, []) if not mark(line))
    report = remove(files, [folder for name in names for folder in folders_of(name)])
    report += skip_in_updates(names)
    print(f"Removed {', '.join(names) or 'what served the examples'}:")
    print("\n".join(f"  {line}" for line in report))
    print(f"\n{advice.strip()}")


if __name__ == "__main__":
    main()
