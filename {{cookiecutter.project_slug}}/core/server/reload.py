"""Code that does not load, while somebody is writing it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def unfinished_code_waits(root: Path, *, is_reloading: bool) -> Iterator[None]:
    """Keep gunicorn's reloader running when the application below `root` cannot be imported.

    The reloader survives a SyntaxError: it shows the traceback in the browser and waits for the
    file to change. Any other exception of an import, such as a misspelt name, ends the server, and
    `make run` with it; here it becomes the first kind. Nothing happens unless `is_reloading`.
    """
    try:
        yield
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if _is_ours(Path(frame.filename), root)]
        if not is_reloading or isinstance(error, SyntaxError) or not own:
            raise
        where = (own[-1].filename, own[-1].lineno, None, own[-1].line)
        raise SyntaxError(f"{type(error).__name__}: {error}", where) from error


def _is_ours(path: Path, root: Path) -> bool:
    return path.is_relative_to(root) and ".venv" not in path.parts
