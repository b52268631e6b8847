"""What a stored file is called, and as what it is served."""

from __future__ import annotations

import secrets
from pathlib import PurePosixPath
from typing import Any

# Shown by a browser in place, from whatever origin, without running anything. SVG, HTML and all
# that is not listed is a download of no type: as an image it would carry scripts.
INLINE = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
DOWNLOAD = "application/octet-stream"


def served_as(name: str) -> tuple[str, str]:
    """Content-Type and Content-Disposition of a stored file."""
    content_type = INLINE.get(PurePosixPath(name).suffix)
    return (content_type, "inline") if content_type else (DOWNLOAD, "attachment")


class ServerNames:
    """A storage whose files are named by chance: 128 random bits, so nothing is ever overwritten.

    Of the name that a client chose only a suffix of `INLINE` is left; the folder is the field's
    `upload_to`. Two characters of the name are a folder, so that a store is listed in 256 parts.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """A new name in the folder of `name`. Asks no server: a check would cost a round trip and
        another process could take the name after it."""
        path = PurePosixPath(name.replace("\\", "/"))
        suffix = path.suffix.lower()
        unique = secrets.token_hex(16)
        made = path.parent / unique[:2] / (unique + (suffix if suffix in INLINE else ".bin"))
        if max_length is not None and len(str(made)) > max_length:
            raise ValueError(f"{made.parent} leaves no room for a name in {max_length} characters.")
        return str(made)

    def get_alternative_name(self, file_root: str, file_ext: str) -> Any:
        """Django asks for another name only when one is taken, which cannot be."""
        raise FileExistsError(file_root + file_ext)
