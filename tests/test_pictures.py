"""The pictures of the documents are there, small, and what the script takes."""

import re
import struct

import pytest
from conftest import ROOT

IMAGES = ROOT / "docs" / "images"
LARGEST = 150_000  # bytes; a page that shows it stays quick on a phone


@pytest.mark.parametrize(
    ("name", "width"), [("development-page.png", 1280), ("development-page-phone.png", 585)]
)
def test_a_picture_is_a_small_png_of_its_width(name: str, width: int) -> None:
    content = (IMAGES / name).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">I", content[16:20]) == (width,)
    assert len(content) < LARGEST


def test_every_picture_that_a_page_shows_exists() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = [
        page.parent / path
        for page in pages
        for path in re.findall(r"!\[[^\]]*\]\(([^):]+)\)", page.read_text("utf-8"))
    ]
    assert IMAGES / "development-page.png" in shown
    assert [path for path in shown if not path.exists()] == []
