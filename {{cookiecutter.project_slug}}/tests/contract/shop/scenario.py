"""The shop in the contract tests."""

from __future__ import annotations

from django.contrib.auth.models import Permission

from apps.shop.models import Location, Product, ProductImage
from apps.shop.ratings import write_review
from apps.shop.services import place_order
from apps.shop.stock import receive_stock
from tests.contract.scenario import Scenario
from tests.pictures import picture

PIECES = 1_000_000


def add(scenario: Scenario) -> None:
    """A product with everything that a product can have, and an order of it."""
    if scenario.user.is_staff:
        may_transfer = Permission.objects.get(codename="add_stockmovement")
        scenario.user.user_permissions.add(may_transfer)

    product = Product.objects.create(name="Lamp", price_cents=1_000)
    write_review(product=product, customer=scenario.new_user(), rating=4, text="Bright.")
    here, there = (
        Location.objects.create(name=f"Warehouse {place} of {scenario.caller}")
        for place in ("here", "there")
    )
    receive_stock(product=product, location=here, quantity=PIECES)
    order = place_order(customer=scenario.user, quantities={product.pk: 2})
    pictures = [
        ProductImage.objects.create(
            product=product,
            state=ProductImage.State.READY,
            image="products/image.webp",
            thumbnail="products/thumbnail.webp",
            width=800,
            height=600,
        )
        for _ in range(2)
    ]

    of_product = {"id": product.pk}
    scenario.example("products_list", query={"name": "La", "ordering": "-price"})
    scenario.example("products_retrieve", path_parameters=of_product)
    scenario.example("products_reviews_list", path_parameters=of_product)
    scenario.example("products_reviews_create", path_parameters=of_product, body={"rating": 5})
    scenario.example("products_images_list", path_parameters=of_product)
    file = picture("PNG", (8, 8))
    scenario.example("products_images_create", path_parameters=of_product, body={"file": file})
    gone = {**of_product, "image_id": pictures[0].pk}
    scenario.example("products_images_destroy", path_parameters=gone)
    transfer = {"from_location": here.pk, "to_location": there.pk, "quantity": 1}
    scenario.example("stock_transfers_create", body={"product": product.pk, **transfer})
    scenario.example("orders_list", query={"expand": "lines.product"})
    lines = [{"product": product.pk, "quantity": 1}]
    scenario.example("orders_create", body={"lines": lines})
    scenario.example("orders_retrieve", path_parameters={"id": order.pk})
    scenario.example("orders_payment_create", path_parameters={"id": order.pk})

    # Of a picture the document says that it is a file.
    scenario.may_refuse("products_images_create", "unsupported_media_type", "too_many", "damaged")
    # What exists, what is for sale, that two values differ and what was sent before are not for a
    # document.
    scenario.may_refuse("orders_create", "duplicate", "not_for_sale", "idempotency_key_reused")
    scenario.may_refuse("stock_transfers_create", "does_not_exist", "same_location")
