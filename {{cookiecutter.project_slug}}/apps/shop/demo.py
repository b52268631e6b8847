"""Products to look at in development."""

from __future__ import annotations

from apps.shop.models import Product

PRODUCTS = {
    "Fountain pen": 3_450,
    "Notebook, 192 pages": 1_290,
    "Bottle of blue ink": 890,
    "Blotting paper": 240,
    "Letter opener": 1_850,
}


def create_products() -> None:
    """Create those that are missing; a changed price stays changed."""
    for name, price_cents in PRODUCTS.items():
        if not Product.objects.filter(name=name).exists():
            Product.objects.create(name=name, price_cents=price_cents)
