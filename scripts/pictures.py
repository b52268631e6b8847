"""Takes the pictures of the documents again, and draws favicon.ico from favicon.svg.

    make demo                                    # in one terminal
    make pictures URL=http://localhost:8000/     # in another

Places a few orders as the demo login, so that the page has something to show, and photographs it
with Chromium at the width of a desk and at that of a phone.
"""

import argparse
import http.cookiejar
import io
import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

from browser import Browser
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
FAVICON = ROOT / "{{cookiecutter.project_slug}}" / "core" / "pages" / "favicon"
LOGIN = {"email": "demo@example.org", "password": "demo-password"}
# CSS pixels, and device pixels for each: a desk, and a phone.
SIZES = {"development-page.png": (1280, 1), "development-page-phone.png": (390, 1.5)}
# How many of each product, and whether they are paid.
ORDERS = [((1, 0, 2), True), ((0, 1), True), ((0, 1, 0, 1), False), ((3,), True), ((0, 0, 1), True)]
COLOURS = 64  # of the palette: text stays sharp, and a picture far below 150 KB
ICON_SIZES = [(16, 16), (32, 32), (48, 48)]


class Customer:
    """The demo login at the API of a running service."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.token = ""
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)

    def log_in(self) -> None:
        self.token = self.call("/api/v1/session/")["csrf_token"]
        self.token = self.call("/api/v1/session/", LOGIN)["csrf_token"]

    def order(self, *quantities: int, pay: bool) -> None:
        """So many of each product, the newest first."""
        products = self.call("/api/v1/products/")["results"]
        lines = [
            {"product": product["id"], "quantity": quantity}
            for product, quantity in zip(products, quantities, strict=False)
            if quantity
        ]
        placed = self.call("/api/v1/orders/", {"lines": lines})
        if pay:
            self.call(f"/api/v1/orders/{placed['id']}/payment/", {})

    def call(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data)  # noqa: S310 a URL of ours
        request.add_header("Content-Type", "application/json")
        request.add_header("X-CSRFToken", self.token)
        with self.opener.open(request, timeout=10) as answer:
            return json.load(answer)


def photograph(url: str, folder: Path, *, dark: bool) -> None:
    with Browser() as browser:
        for name, (width, scale) in SIZES.items():
            browser.show(width, scale=scale, dark=dark)
            browser.open(url)
            picture = Image.open(io.BytesIO(browser.picture())).convert("RGB")
            folder.mkdir(parents=True, exist_ok=True)
            palette = picture.quantize(COLOURS, dither=Image.Dither.NONE)
            palette.save(folder / name, optimize=True)
            size = (folder / name).stat().st_size
            sys.stdout.write(f"{folder / name}: {picture.width} x {picture.height}, {size} B\n")
        if browser.messages:
            sys.exit("The page complained:\n" + "\n".join(browser.messages))


def draw_icon() -> None:
    with Browser() as browser:
        browser.show(256, 256)
        browser.open((FAVICON / "favicon.svg").as_uri())
        picture = Image.open(io.BytesIO(browser.picture(transparent=True)))
    picture.save(FAVICON / "favicon.ico", sizes=ICON_SIZES)


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the pictures of the documents again.")
    parser.add_argument("url", nargs="?", help="the first page of a running `make demo`")
    parser.add_argument("--dark", action="store_true", help="in dark colours")
    parser.add_argument("--icon", action="store_true", help="draw favicon.ico instead")
    parser.add_argument("--output", type=Path, default=IMAGES, help="the folder of the pictures")
    options = parser.parse_args()
    if options.icon:
        return draw_icon()
    if not options.url:
        parser.error("start `make demo`, and give the URL it prints")
    customer = Customer(options.url)
    customer.log_in()
    for quantities, pay in ORDERS:
        customer.order(*quantities, pay=pay)
    return photograph(options.url, options.output, dark=options.dark)


if __name__ == "__main__":
    main()
