"""Kind and size of a picture from its first bytes, in microseconds, without decoding anything.

For the request that takes the upload: Pillow costs a process 7 MB to import and has the history of
a decoder. Weighed: `imagesize` and `filetype` have no limits of their own and read more formats
than are taken here. What this believes is checked again where the picture is decoded.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

from core.images.errors import ImageRefusedError

# 25 megapixels: any camera of a phone. Decoded, 100 MB; a PNG of 144 is a file of 420 KB.
MAX_PIXELS = 25_000_000
_SEGMENTS = 300  # of a JPEG before its size; a picture with a large profile and EXIF has 40
# SOF0 to SOF15 without DHT, JPG and DAC, which share the range.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Header:
    """`suffix` is that of the kind, whatever the file is called; sizes are in pixels."""

    suffix: str
    width: int
    height: int


def read_header(file: IO[bytes]) -> Header:
    """Look at a seekable file and rewind it.

    Raises `ImageRefusedError`: unsupported for what is neither JPEG, PNG nor WebP by content,
    damaged for one that ends too early, too_many_pixels.
    """
    file.seek(0)
    start = file.read(30)
    try:
        if start.startswith(b"\xff\xd8\xff"):
            header = _jpeg(file)
        elif start.startswith(b"\x89PNG\r\n\x1a\n"):
            header = _png(start)
        elif start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            header = _webp(start)
        else:
            raise ImageRefusedError("unsupported")
    except (struct.error, IndexError):
        raise ImageRefusedError("damaged") from None
    finally:
        file.seek(0)
    if not header.width or not header.height:
        raise ImageRefusedError("damaged")
    if header.width * header.height > MAX_PIXELS:
        raise ImageRefusedError("too_many_pixels")
    return header


def _png(start: bytes) -> Header:
    if start[12:16] != b"IHDR":
        raise ImageRefusedError("damaged")
    return Header(".png", *struct.unpack(">II", start[16:24]))


def _jpeg(file: IO[bytes]) -> Header:
    file.seek(2)
    for _ in range(_SEGMENTS):
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or length < 2:
            break
        if kind in _START_OF_FRAME:
            height, width = struct.unpack(">xHH", file.read(5))
            return Header(".jpg", width, height)
        file.seek(length - 2, 1)
    raise ImageRefusedError("damaged")


def _webp(start: bytes) -> Header:
    match start[12:16]:
        case b"VP8X":
            sizes = start[24:27], start[27:30]
            if len(sizes[1]) < 3:
                raise ImageRefusedError("damaged")
            width, height = (int.from_bytes(size, "little") + 1 for size in sizes)
        case b"VP8L":
            (bits,) = struct.unpack("<I", start[21:25])
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            sides = struct.unpack("<HH", start[26:30])
            width, height = (side & 0x3FFF for side in sides)
        case _:
            raise ImageRefusedError("damaged")
    return Header(".webp", width, height)
