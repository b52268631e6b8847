"""Products to look at in development, with some stock and a review of most."""

from __future__ import annotations

import struct
import zlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.shop.models import Location, Product, ProductImage
from apps.shop.ratings import write_review
from apps.shop.stock import receive_stock
from apps.shop.tasks import render_image
from apps.users.models import User

PRODUCTS = {
    "Fountain pen": 3_450,
    "Notebook, 192 pages": 1_290,
    "Bottle of blue ink": 890,
    "Blotting paper": 240,
    "Letter opener": 1_850,
}
# Pieces by location; a product that is not here is never sold out.
STOCK = {
    "Fountain pen": {"Warehouse": 40, "Branch": 3},
    "Notebook, 192 pages": {"Warehouse": 250},
    "Blotting paper": {"Branch": 1},
}
REVIEWS = {
    "Fountain pen": (5, "Writes at once, and never blots."),
    "Notebook, 192 pages": (4, "Good paper. I wish it would lie flat."),
    "Bottle of blue ink": (3, ""),
}


def create_products(reviewer: User | None = None) -> None:
    """Create those that are missing, with picture and stock; a changed price stays changed.

    `reviewer` writes the reviews, once.
    """
    for index, (name, price_cents) in enumerate(PRODUCTS.items()):
        if not Product.objects.filter(name=name).exists():
            product = Product.objects.create(name=name, price_cents=price_cents)
            _stock(product)
            _image(product, (40 * index, 90, 160))
    if reviewer is not None:
        _review(reviewer)


def _image(product: Product, colour: tuple[int, int, int]) -> None:
    stored = default_storage.save("products/originals/demo.png", ContentFile(_picture(colour)))
    image = ProductImage.objects.create(product=product, original=stored)
    render_image.delay(image.pk)


def _picture(colour: tuple[int, int, int], width: int = 640, height: int = 480) -> bytes:
    """A PNG of one colour that fades to white; Pillow stays in the decoder's process."""
    rows = b"".join(
        b"\0" + bytes(part + (255 - part) * row // height for part in colour) * width
        for row in range(height)
    )
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )


def _stock(product: Product) -> None:
    for name, quantity in STOCK.get(product.name, {}).items():
        location, _ = Location.objects.get_or_create(name=name)
        receive_stock(product=product, location=location, quantity=quantity)


def _review(reviewer: User) -> None:
    products = Product.objects.filter(name__in=REVIEWS)
    for product in products.exclude(reviews__customer=reviewer):
        rating, text = REVIEWS[product.name]
        write_review(product=product, customer=reviewer, rating=rating, text=text)
