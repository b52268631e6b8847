"""The process that decodes one picture and ends: `python -I -B decoder.py 1280 320 < picture`.

Run by `core.images.rendering`, never imported: it imports nothing of ours and starts with an empty
environment, so that a decoder that is taken over finds no secret of the service in its own process
and a picture that takes too much ends this process and no other. Writes a line of JSON, then the
pictures in the order of the sizes given. Exit code 65 (EX_DATAERR): the line is why.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import warnings
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import PIL.Image

MAX_PIXELS = 25_000_000  # as core/images/header.py; a test compares them
MAX_BYTES = 10 * 1024 * 1024
# Bytes of address space. The most that 25 Mpx need is about 350 MB (measured by the test of the
# largest picture), 80 of which are Python, Pillow and their libraries.
MEMORY = 512 * 1024 * 1024
CPU = 20  # seconds; 25 Mpx take 3
FORMATS = ["JPEG", "PNG", "WEBP"]
REFUSED = 65


def limit() -> None:
    if sys.platform != "darwin":  # which refuses every value: EINVAL
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for kind, value in (
        (resource.RLIMIT_CPU, CPU),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]]
    limit()
    try:
        pictures = render(sys.stdin.buffer.read(MAX_BYTES + 1), sizes)
    except MemoryError:
        refuse("too_expensive")
    described = [
        {"width": width, "height": height, "bytes": len(data)} for width, height, data in pictures
    ]
    sys.stdout.buffer.write(json.dumps(described).encode() + b"\n")
    for _, _, data in pictures:
        sys.stdout.buffer.write(data)


def refuse(code: str) -> NoReturn:
    sys.stdout.write(code)
    sys.stdout.flush()
    raise SystemExit(REFUSED)


def render(data: bytes, sizes: list[int]) -> list[tuple[int, int, bytes]]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    if len(data) > MAX_BYTES:
        refuse("too_large")
    try:
        file = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        refuse("too_many_pixels")
    except UnidentifiedImageError:
        refuse("unsupported")
    except (OSError, SyntaxError, ValueError):
        refuse("damaged")
    if file.width * file.height > MAX_PIXELS:
        refuse("too_many_pixels")
    largest = max(sizes)
    try:
        # A JPEG is decoded at an eighth, a quarter or half of its size where that is enough.
        file.draft("RGB", (largest, largest))
        file.load()  # of an animation, its first picture
    except (OSError, SyntaxError, ValueError, EOFError):
        refuse("damaged")
    profile = file.info.get("icc_profile")
    image: Image.Image = file
    if image.mode in ("P", "PA", "1"):  # which can only be made smaller by leaving out pixels
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith("I"):  # 16 bits a pixel, which `convert` would clip to white
        image = image.point(lambda value: value / 256).convert("L")
    image.thumbnail((largest, largest), Image.Resampling.LANCZOS, reducing_gap=2.0)
    # A camera that writes nonsense into its EXIF takes pictures all the same.
    with contextlib.suppress(Exception):
        image = ImageOps.exif_transpose(image)
    image = in_srgb(image, profile)
    rendered = []
    for size in sizes:
        copy = image.copy()
        copy.thumbnail((size, size), Image.Resampling.LANCZOS)
        output = io.BytesIO()
        # Pixels alone: no EXIF (a place, a camera), no profile, no text.
        copy.save(output, "WEBP", quality=80, method=4, exif=b"", icc_profile=b"", xmp=b"")
        rendered.append((copy.width, copy.height, output.getvalue()))
    return rendered


def in_srgb(image: PIL.Image.Image, profile: bytes | None) -> PIL.Image.Image:
    """RGB or RGBA, 8 bits, in the colours that a browser assumes where no profile is."""
    from PIL import ImageCms

    if image.has_transparency_data:
        return image.convert("RGBA")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that is damaged or for another kind of pixels
    return image.convert("RGB")


if __name__ == "__main__":
    main()
