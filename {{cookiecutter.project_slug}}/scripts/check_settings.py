"""`manage.py check --deploy` under the settings that are deployed, warnings included.

    python -m scripts.check_settings staging production     (under scripts.with_servers)

The environment is complete: each variable that config/env.py requires has the example it documents,
but for the servers, which are real: some checks of fields ask the database for its version.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from config.env import Environment
from core.environment import declared
from scripts.servers import VARIABLES

BASE_DIR = Path(__file__).resolve().parent.parent


def complete(environment: str) -> dict[str, str]:
    """A valid environment for `environment`, made of the documented examples."""
    examples = {
        each.name: each.example for each in declared(Environment) if environment in each.required
    }
    return examples | {
        **{name: os.environ[name] for name in VARIABLES},
        "DJANGO_SETTINGS_MODULE": f"config.settings.{environment}",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "SERVICE_NAME": examples["SERVICE_NAME"] or "service",
    }


def main(environments: list[str]) -> int:
    kept = ("PATH", "HOME", "LANG", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")
    machine = {name: os.environ[name] for name in kept if name in os.environ}
    codes = []
    for environment in environments:
        print(f"{environment}: ", end="", flush=True)
        done = subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            env=machine | complete(environment),
            cwd=BASE_DIR,
            check=False,
        )
        codes.append(done.returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
