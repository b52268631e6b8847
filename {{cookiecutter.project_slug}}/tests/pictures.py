"""Pictures of every kind that is sent, and of some that should not be."""

from __future__ import annotations

import io
import os
import struct
import zlib
from typing import Any

from PIL import Image


def picture(
    kind: str = "JPEG",
    size: tuple[int, int] = (64, 48),
    mode: str = "RGB",
    *,
    noise: bool = False,
    colour: Any = 0,
    **options: Any,
) -> bytes:
    """A file of one colour, or of noise, which does not compress."""
    image = Image.new(mode, size, colour)
    if noise:
        length = len(image.tobytes())
        block = os.urandom(1 << 16)
        image = Image.frombytes(mode, size, (block * (length // len(block) + 1))[:length])
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def bomb(side: int = 12_000) -> bytes:
    """A PNG of 144 megapixels in 420 KB."""
    return picture("PNG", (side, side))


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG whose header says what is given, with `chunks` and no pixel after it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), *chunks)
    )


def text_bomb(megabytes: int) -> bytes:
    """A small picture with text that a decoder would unpack to `megabytes` each, 50 times."""
    text = b"k\0\0" + zlib.compress(bytes(megabytes * 1024**2), 9)
    pixels = zlib.compress(b"\0\0\0\0")
    return png(1, 1, *[(b"zTXt", text)] * 50, (b"IDAT", pixels), (b"IEND", b""))
