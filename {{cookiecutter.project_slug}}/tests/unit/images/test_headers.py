from __future__ import annotations

import io
import random
from typing import Any

import pytest
from PIL import Image

from core.images import decoder, header
from core.images.errors import ImageRefusedError
from core.images.header import read_header
from tests.pictures import bomb, picture, png

EXIF = Image.Exif()
EXIF[0x010E] = "x" * 60_000
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("JPEG", {"mode": "L"}),
    ("JPEG", {"mode": "CMYK"}),
    ("JPEG", {"exif": EXIF, "icc_profile": b"x" * 200_000}),
    ("PNG", {}),
    ("PNG", {"mode": "1"}),
    ("PNG", {"mode": "I;16"}),
    ("WEBP", {"quality": 50}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"mode": "RGBA", "exif": EXIF}),
]


def named(value: object) -> str:
    """The name of a parameter: the same in every process, which an object's address is not."""
    if not isinstance(value, dict):
        return str(value)
    return "-".join(
        f"{key}={part}" if isinstance(part, str) else key for key, part in value.items()
    )


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=named)
@pytest.mark.parametrize("size", [(1, 1), (63, 200), (4_001, 3)])
def test_kind_and_size_are_those_that_a_decoder_sees(
    kind: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    data = picture(kind, size, **options)
    found = read_header(io.BytesIO(data))
    with Image.open(io.BytesIO(data)) as seen:
        assert (found.width, found.height) == seen.size == size
    assert found.suffix == {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}[kind]


def refusal(data: bytes) -> str:
    with pytest.raises(ImageRefusedError) as refused:
        read_header(io.BytesIO(data))
    return refused.value.code


def test_144_megapixels_in_420_kilobytes_are_refused() -> None:
    data = bomb()
    assert 400_000 < len(data) < 440_000
    assert refusal(data) == "too_many_pixels"


def test_the_limit_is_25_megapixels() -> None:
    assert read_header(io.BytesIO(png(5_000, 5_000))).width == 5_000
    assert refusal(png(5_000, 5_001)) == "too_many_pixels"
    assert refusal(png(2**31, 2**31)) == "too_many_pixels"
    assert refusal(png(0, 5_000)) == "damaged"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(100),
        picture("GIF", mode="P"),
        picture("BMP"),
        picture("TIFF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>",
        b"%PDF-1.7",
        b"PK\3\4" + bytes(100),
        b"RIFF\0\0\0\0WAVEfmt " + bytes(100),
    ],
    ids=range(10),
)
def test_what_is_no_jpeg_png_or_webp_is_unsupported(data: bytes) -> None:
    assert refusal(data) == "unsupported"


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=named)
def test_a_header_that_is_cut_off_anywhere_is_an_answer(kind: str, options: dict[str, Any]) -> None:
    data = picture(kind, **options)
    for length in range(min(len(data), 1_000)):
        try:
            read_header(io.BytesIO(data[:length]))
        except ImageRefusedError as refused:
            assert refused.code in ("unsupported", "damaged")  # noqa: PT017 - not always raised


def test_a_header_of_noise_is_an_answer() -> None:
    chance = random.Random(1)  # noqa: S311 - the same noise each time
    for kind in ("JPEG", "PNG", "WEBP"):
        data = picture(kind)
        for _ in range(2_000):
            spoilt = bytearray(data[:200])
            for _ in range(chance.randrange(1, 8)):
                spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
            try:
                read_header(io.BytesIO(bytes(spoilt)))
            except ImageRefusedError:
                continue


def test_the_file_is_rewound() -> None:
    file = io.BytesIO(picture())
    read_header(file)
    assert file.tell() == 0


def test_the_decoder_has_the_same_limit_as_the_request() -> None:
    assert decoder.MAX_PIXELS == header.MAX_PIXELS
