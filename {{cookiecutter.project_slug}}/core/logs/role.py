"""Which of the service's processes this one is: the field `role` of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath


def role_of(argv: Sequence[str]) -> str:
    """The role that a command line starts: `web`, `asgi`, `worker`, `beat`, or the command's name.

    gunicorn, uvicorn and celery log before they run code of ours that could say it.
    """
    program, *arguments = argv or [""]
    path = PurePath(program)
    name = path.parent.name if path.name == "__main__.py" else path.stem
    known = {"gunicorn": "web", "uvicorn": "asgi"}
    if name == "celery":
        return next((word for word in arguments if word in ("worker", "beat")), name)
    if name == "manage":
        return next((word for word in arguments if not word.startswith("-")), name)
    return known.get(name, name) or "python"
