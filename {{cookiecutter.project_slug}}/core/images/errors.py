"""Why a picture is not taken."""

from __future__ import annotations


class ImageRefusedError(Exception):
    """`code` says why and never changes: unsupported, damaged, too_many_pixels, too_expensive."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
