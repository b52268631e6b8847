"""Work inside the unrendered folder leaves nothing in it, so that a bake is what git lists."""

import subprocess
from pathlib import Path

import bake
import pytest
from conftest import ROOT, SERVICE, clean_environment, files_below


def test_a_check_in_place_passes_and_leaves_no_file(
    service_environment: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert service_environment.is_dir()
    before = set(files_below(SERVICE))
    with capfd.disabled():
        finished = subprocess.run(
            ["make", "--no-print-directory", "check"],
            check=False,
            cwd=ROOT,
            env=clean_environment(CI="true"),
        )
    assert finished.returncode == 0
    assert set(files_below(SERVICE)) == before
    folders = [
        str(path) for path in SERVICE.rglob("*") if path.is_dir() and not any(path.iterdir())
    ]
    assert folders == []

    prefix = f"{bake.SERVICE}/"
    tracked = {path.removeprefix(prefix) for path in bake.listed(bake.SERVICE)}
    assert before - tracked == set(), "work outside `make` left these; remove them"
    # Straight from the working tree, as `cookiecutter .` does: ignored files would come along.
    command = bake.cookiecutter_command(ROOT, tmp_path / "out", state=tmp_path)
    subprocess.run(command, check=True, capture_output=True, env=clean_environment())
    assert set(files_below(tmp_path / "out/my-service")) == tracked
