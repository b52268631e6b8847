"""The decoder's process: what it draws, what it refuses, and what it takes from nobody else."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from core.images import rendering
from core.images.errors import ImageRefusedError
from core.images.rendering import Rendition, render
from tests.logged import logged
from tests.pictures import bomb, picture, png, text_bomb

LARGEST = (5_000, 5_000)
NO_PIXELS = (b"IDAT", zlib.compress(b"")), (b"IEND", b"")


def palette(*rgb: int) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (64, 48), rgb).quantize(2).save(output, "PNG")
    return output.getvalue()


def opened(rendition: Rendition) -> Image.Image:
    image = Image.open(io.BytesIO(rendition.data))
    image.load()
    assert (image.format, image.size) == ("WEBP", (rendition.width, rendition.height))
    return image


def refusal(data: bytes) -> str:
    with pytest.raises(ImageRefusedError) as refused:
        render(data, 320)
    return refused.value.code


def test_copies_have_the_sizes_asked_for_and_keep_the_shape() -> None:
    large, small = render(picture(size=(2_000, 1_000)), 1_280, 320)
    assert (large.width, large.height, small.width, small.height) == (1_280, 640, 320, 160)
    opened(large)
    opened(small)


def test_a_small_picture_is_not_enlarged() -> None:
    (copy,) = render(picture(size=(64, 48)), 320)
    assert (copy.width, copy.height) == (64, 48)


def colour(data: bytes) -> Any:
    (copy,) = render(data, 320)
    image = opened(copy)
    return image.convert("RGBA").getpixel((image.width // 2, image.height // 2))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (picture(colour=(200, 30, 30)), (200, 30, 30, 255)),
        (picture("PNG", mode="I;16", colour=40_000), (156, 156, 156, 255)),
        (picture("PNG", mode="1", colour=1), (255, 255, 255, 255)),
        (palette(200, 30, 30), (200, 30, 30, 255)),
        (picture("PNG", mode="LA", colour=(90, 128)), (90, 90, 90, 128)),
        (picture("PNG", mode="RGBA", colour=(200, 30, 30, 128)), (200, 30, 30, 128)),
        (picture(mode="CMYK", colour=(0, 255, 255, 0)), (255, 0, 0, 255)),
        (picture("WEBP", lossless=True, colour=(200, 30, 30)), (200, 30, 30, 255)),
    ],
    ids=["jpeg", "16 bits", "1 bit", "palette", "grey and alpha", "alpha", "cmyk", "webp"],
)
def test_every_kind_of_pixel_keeps_its_colour(data: bytes, expected: Any) -> None:
    assert all(abs(a - b) <= 6 for a, b in zip(colour(data), expected, strict=True))


@pytest.mark.parametrize("mode", ["P", "1"])
def test_a_picture_of_few_colours_is_made_smaller_by_mixing_them(mode: str) -> None:
    stripes = Image.new("L", (640, 480))
    for column in range(0, 640, 2):
        stripes.paste(255, (column, 0, column + 1, 480))
    output = io.BytesIO()
    stripes.convert(mode).save(output, "PNG")
    assert 100 < colour(output.getvalue())[0] < 155  # with pixels left out, black or white


def test_an_orientation_is_applied_and_everything_else_of_the_camera_is_gone() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera of Ada"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (copy,) = render(picture(size=(64, 48), exif=exif, icc_profile=profile), 320)
    image = opened(copy)
    assert image.size == (48, 64)
    assert not image.getexif()
    assert set(image.info) <= {"background", "loop", "timestamp", "duration"}
    assert b"Ada" not in copy.data


def test_nonsense_in_the_exif_does_not_spoil_a_picture() -> None:
    (copy,) = render(picture("WEBP", exif=b"Exif\0\0nonsense"), 320)
    assert copy.width == 64


def test_a_profile_for_other_pixels_or_none_at_all_does_not_spoil_a_picture() -> None:
    (copy,) = render(picture(icc_profile=b"nonsense" * 100), 320)
    assert copy.width == 64


def test_of_an_animation_the_first_picture_is_kept() -> None:
    frames = [Image.new("RGB", (64, 48), (red, 0, 0)) for red in (250, 0)]
    for kind in ("WEBP", "PNG"):
        output = io.BytesIO()
        frames[0].save(output, kind, save_all=True, append_images=frames[1:])
        assert abs(colour(output.getvalue())[0] - 250) <= 6


def test_what_hangs_on_a_picture_is_not_in_its_copies() -> None:
    polyglot = picture() + b"PK\3\4<script>alert(1)</script>"
    (copy,) = render(polyglot, 320)
    assert b"script" not in copy.data


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unsupported"),
        (b"nothing of the kind", "unsupported"),
        (picture("GIF", mode="P"), "unsupported"),
        (picture("TIFF"), "unsupported"),
        (picture(noise=True, size=(500, 500))[:9_000], "damaged"),
        (picture("PNG", noise=True)[:2_000], "damaged"),
        (picture("WEBP", noise=True)[:900], "damaged"),
        (png(5_000, 5_000, *NO_PIXELS), "damaged"),
        (png(60_000, 60_000, *NO_PIXELS), "too_many_pixels"),
        (text_bomb(2), "damaged"),
        (bytes(10 * 1024**2 + 1), "too_large"),
    ],
    ids=range(11),
)
def test_what_cannot_be_drawn_is_refused_with_a_reason(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_144_megapixels_are_refused_by_the_decoder_too() -> None:
    assert refusal(bomb()) == "too_many_pixels"


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "JPEG"},
        {"kind": "JPEG", "mode": "CMYK", "progressive": True},
        {"kind": "PNG", "mode": "RGBA"},
        {"kind": "PNG", "mode": "I;16"},
        {"kind": "PNG", "mode": "P", "transparency": 0},
        {"kind": "WEBP", "mode": "RGBA", "method": 0},
    ],
    ids=str,
)
def test_25_megapixels_of_any_kind_fit_into_its_memory(options: dict[str, Any]) -> None:
    (copy,) = render(picture(size=LARGEST, **options), 320)
    assert copy.width == 320


def test_a_decoder_that_needs_more_memory_ends_and_the_caller_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tight = tmp_path / "decoder.py"
    source = rendering.DECODER.read_text()
    assert "MEMORY = 512 *" in source
    tight.write_text(source.replace("MEMORY = 512 *", "MEMORY = 128 *"))
    large = picture("PNG", LARGEST, "RGBA")
    monkeypatch.setattr(rendering, "DECODER", tight)
    before = _rss()
    assert refusal(large) == "too_expensive"
    assert _rss() - before < 20
    assert render(picture(), 320)


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("os.kill(os.getpid(), 11)", "too_expensive"),
        ("os._exit(3)", "too_expensive"),
        ("raise KeyError('a bug')", "damaged"),
    ],
)
def test_a_decoder_that_crashes_is_an_answer_and_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ending: str, code: str
) -> None:
    crashing = tmp_path / "decoder.py"
    crashing.write_text(f"import os\n{ending}")
    monkeypatch.setattr(rendering, "DECODER", crashing)
    with logged() as lines:
        assert refusal(picture()) == code
    [line] = lines.json
    assert line["message"] == "decoder failed"
    assert ("a bug" in line["reason"]) == (code == "damaged")


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_decoder_that_is_stopped_with_its_worker_refuses_no_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: str
) -> None:
    """A refusal deletes the upload; this error is one that a task retries."""
    stopped = tmp_path / "decoder.py"
    # Whoever runs the tests in the background of a shell hands on an ignored SIGINT.
    stopped.write_text(
        f"import os, signal\nsignal.signal(signal.{number}, signal.SIG_DFL)\n"
        f"os.kill(os.getpid(), signal.{number})\n"
    )
    monkeypatch.setattr(rendering, "DECODER", stopped)
    with pytest.raises(InterruptedError):
        render(picture(), 1)


def test_a_decoder_that_never_ends_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endless = tmp_path / "decoder.py"
    endless.write_text("while True: pass")
    monkeypatch.setattr(rendering, "DECODER", endless)
    monkeypatch.setattr(rendering, "TIMEOUT", 0.5)
    assert refusal(picture()) == "too_expensive"


def test_a_decoder_knows_nothing_of_the_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    curious = tmp_path / "decoder.py"
    curious.write_text("import os, sys; print(sorted(os.environ), flush=True); os._exit(65)")
    monkeypatch.setattr(rendering, "DECODER", curious)
    monkeypatch.setenv("SECRET_KEY", "x")
    assert refusal(picture()).strip() in ("[]", "['LC_CTYPE']")


def test_the_service_never_imports_pillow() -> None:
    script = (
        "import sys, django; django.setup(); import config.urls, core.images.rendering;"
        "sys.exit('PIL' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=dict(os.environ), check=False)
    assert done.returncode == 0


def _rss() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2
