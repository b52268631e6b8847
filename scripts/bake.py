"""Generates a service from the template as it stands in the working tree.

cookiecutter copies every file below the template, ignored ones too, so it is given a copy that
holds what git tracks or would track: a clone and a tree somebody works in give the same service.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVICE = "{{cookiecutter.project_slug}}"
PARTS = ("cookiecutter.json", "hooks", SERVICE)


def listed(*parts: str) -> list[str]:
    """Paths below the root that git tracks, or would track were they added, and that exist."""
    files = ["git", "--literal-pathspecs", "ls-files", "-z", "--cached", "--others"]
    output = subprocess.run(
        [*files, "--exclude-standard", "--", *parts],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = {path for path in output.split("\0") if path}
    return sorted(path for path in paths if (ROOT / path).is_file())


def export(destination: Path, *parts: str) -> None:
    """Copy what a clone of the template would hold of these parts, else of the generating ones."""
    for path in listed(*(parts or PARTS)):
        target = destination / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)


def cookiecutter_command(
    template: Path, output: Path, *answers: str, overwrite: bool = False, state: Path
) -> list[str]:
    """The cookiecutter command line that reads and writes nothing in the user's home.

    Args:
        template: a folder with cookiecutter.json.
        output: the folder below which the service's own folder is made.
        answers: question=answer; what is not answered takes its default.
        overwrite: write over files of the same name in an existing service.
        state: an existing folder for what cookiecutter remembers of the run.
    """
    settings = state / "cookiecutter.json"
    settings.write_text(
        json.dumps({"replay_dir": str(state), "cookiecutters_dir": str(state)}), encoding="utf-8"
    )
    command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input"]
    command += ["--config-file", str(settings), "--output-dir", str(output)]
    if overwrite:
        command.append("--overwrite-if-exists")
    return [*command, *answers]


def main() -> int:
    parser = argparse.ArgumentParser(description="Generate a service from this working tree.")
    parser.add_argument("--overwrite", action="store_true", help="write over an existing service")
    parser.add_argument("--quiet", action="store_true", help="leave out the next commands")
    parser.add_argument("output", type=Path, help="folder below which the service's folder is made")
    parser.add_argument("answers", nargs="*", help="question=answer; defaults for the rest")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bake-") as temporary:
        template = Path(temporary, "template")
        export(template)
        command = cookiecutter_command(
            template,
            options.output,
            *options.answers,
            overwrite=options.overwrite,
            state=Path(temporary),
        )
        # Shown on success only: cookiecutter prints a traceback there when a hook says no, below
        # the message on stderr that says all.
        finished = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
        if finished.returncode == 0 and not options.quiet:
            sys.stdout.write(finished.stdout)
        return finished.returncode


if __name__ == "__main__":
    sys.exit(main())
