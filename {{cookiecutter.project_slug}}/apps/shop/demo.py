"""Products to look at in development, with some stock and a review of most."""

from __future__ import annotations

from apps.shop.models import Location, Product
from apps.shop.ratings import write_review
from apps.shop.stock import receive_stock
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
    """Create those that are missing, with their stock; a changed price stays changed.

    `reviewer` writes the reviews, once.
    """
    for name, price_cents in PRODUCTS.items():
        if not Product.objects.filter(name=name).exists():
            _stock(Product.objects.create(name=name, price_cents=price_cents))
    if reviewer is not None:
        _review(reviewer)


def _stock(product: Product) -> None:
    for name, quantity in STOCK.get(product.name, {}).items():
        location, _ = Location.objects.get_or_create(name=name)
        receive_stock(product=product, location=location, quantity=quantity)


def _review(reviewer: User) -> None:
    products = Product.objects.filter(name__in=REVIEWS)
    for product in products.exclude(reviews__customer=reviewer):
        rating, text = REVIEWS[product.name]
        write_review(product=product, customer=reviewer, rating=rating, text=text)
