"""Only config/env.py reads the environment; ruff enforces it, this proves that ruff does."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("line", ["os.environ['A']", "os.getenv('A')"])
@pytest.mark.parametrize("module", ["core/logs/example.py", "config/settings/base.py"])
def test_a_second_reader_of_the_environment_is_refused(module: str, line: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", module, "-"],
        cwd=PROJECT,
        input=f"import os\n\nvalue = {line}\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "TID251" in ended.stdout
