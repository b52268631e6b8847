"""Write `.env.example` and `docs/reference/environment.md` from `config/env.py`.

`--check` writes nothing and exits with 1 when a document is stale.
"""

import sys
from pathlib import Path

from config.env import BASE_DIR, Environment
from core.environment import declared
from core.environment.documents import dotenv_example, reference


def identity() -> dict[str, str]:
    """The assignments of deploy/identity.env."""
    lines = (BASE_DIR / "deploy" / "identity.env").read_text(encoding="utf-8").splitlines()
    assignments = (line.partition("=") for line in lines if "=" in line and line[0] != "#")
    return {name: value.strip('"') for name, _, value in assignments}


def documents() -> dict[Path, str]:
    """The generated documents by path."""
    variables = declared(Environment)
    # The key is drawn on the machine, by `make run`; the servers are embedded unless set here.
    values = {"SERVICE_NAME": identity()["SERVICE_NAME"], "SECRET_KEY": ""}
    return {
        BASE_DIR / ".env.example": dotenv_example(variables, values),
        BASE_DIR / "docs" / "reference" / "environment.md": reference(variables),
    }


def main() -> int:
    """Write or check; returns the exit status."""
    stale = {
        path: content
        for path, content in documents().items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    }
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(BASE_DIR)} is stale: run `make docs`.")
        return 1 if stale else 0
    for path, content in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        print(f"wrote {path.relative_to(BASE_DIR)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
