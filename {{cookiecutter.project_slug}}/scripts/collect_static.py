"""Static files as they are deployed: named by their hash, beside them a gzip and a Brotli copy.

    python -m scripts.collect_static

For the build of an image, which has no secret and reaches no server: the settings of production get
the documented examples, and collectstatic connects to nothing. Writes STATIC_ROOT, staticfiles/,
and compiles the catalogues of translations, which an image holds as well.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from config.env import Environment
from core.environment import declared
from scripts.messages import MessagesError, compile_catalogues

BASE_DIR = Path(__file__).resolve().parent.parent


def main() -> int:
    try:
        compile_catalogues()
    except MessagesError as error:
        print(error, file=sys.stderr)
        return 1
    examples = {
        each.name: each.example for each in declared(Environment) if "production" in each.required
    }
    ours = {
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "SERVICE_NAME": "service",
    }
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    return subprocess.run(
        command, env={**os.environ, **examples, **ours}, cwd=BASE_DIR, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
