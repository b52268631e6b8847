"""How each operation, admin list and task of the shop succeeds."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test.client import MULTIPART_CONTENT

from apps.shop.models import Order, Product, ProductImage
from apps.shop.tasks import RENDER_AGAIN
from apps.users.models import User
from tests.factories import UserFactory
from tests.integration.shop.factories import (
    LocationFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    ReviewFactory,
    StockFactory,
)
from tests.performance.budgets import Call, scenario
from tests.performance.scenarios import superuser
from tests.pictures import picture


def staff(*codenames: str) -> User:
    user = UserFactory.create(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def add_image(product: Product) -> ProductImage:
    """A picture that is shown."""
    files = {"image": "products/a.webp", "thumbnail": "products/b.webp"}
    return ProductImage.objects.create(product=product, state="ready", width=1, height=1, **files)


def add_upload(**changes: object) -> ProductImage:
    """A picture that waits to be drawn."""
    product = ProductFactory.create()
    image = ProductImage(product=product, **changes)
    image.original.save("a.jpg", ContentFile(picture()))
    return image


def add_product() -> None:
    """With a picture and a review."""
    add_image(ReviewFactory.create().product)


def order_of(customer: User) -> Order:
    return OrderFactory.create(customer=customer, lines=2)


# What is for sale ---------------------------------------------------------------------------------


@scenario("GET /api/v1/products/")
def list_products() -> Call:
    return Call(query="page_size=100", more=add_product)


@scenario("GET /api/v1/products/{id}/")
def one_product() -> Call:
    product = ReviewFactory.create().product
    return Call(path={"id": product.pk}, more=partial(add_image, product))


@scenario("GET /api/v1/products/{id}/reviews/")
def list_reviews() -> Call:
    product = ProductFactory.create()
    more = partial(ReviewFactory.create, product=product)
    return Call(path={"id": product.pk}, query="page_size=100", more=more)


@scenario("POST /api/v1/products/{id}/reviews/")
def write_review() -> Call:
    body = {"rating": 5, "text": "Good."}
    product = ReviewFactory.create().product
    return Call(user=UserFactory.create(), path={"id": product.pk}, body=body)


# Orders -------------------------------------------------------------------------------------------


@scenario("GET /api/v1/orders/")
@scenario("GET /api/v1/orders/?expand=lines.product")
def list_orders() -> Call:
    customer = UserFactory.create()
    return Call(user=customer, query="page_size=100", more=partial(order_of, customer))


@scenario("GET /api/v1/orders/{id}/")
@scenario("POST /api/v1/orders/{id}/payment/")
def one_order() -> Call:
    order = order_of(UserFactory.create())
    more = partial(OrderLineFactory.create, order=order)
    return Call(user=order.customer, path={"id": order.pk}, more=more)


@scenario("POST /api/v1/orders/")
def place_order() -> Call:
    """Of a product that is counted; another line costs nothing more."""
    lines: list[dict[str, int]] = []

    def add_line() -> None:
        lines.append({"product": StockFactory.create().product_id, "quantity": 1})

    return Call(user=UserFactory.create(), body={"lines": lines}, more=add_line)


# What staff does ----------------------------------------------------------------------------------


@scenario("GET /api/v1/products/{id}/images/")
def list_images() -> Call:
    product = ProductFactory.create()
    return Call(user=staff(), path={"id": product.pk}, more=partial(add_image, product))


@scenario("POST /api/v1/products/{id}/images/")
def upload_image() -> Call:
    return Call(
        user=staff(),
        path={"id": ProductFactory.create().pk},
        body={"file": SimpleUploadedFile("a.jpg", picture())},
        content_type=MULTIPART_CONTENT,
    )


@scenario("DELETE /api/v1/products/{id}/images/{image_id}/")
def delete_image() -> Call:
    image = add_image(ProductFactory.create())
    return Call(user=staff(), path={"id": image.product_id, "image_id": image.pk})


@scenario("POST /api/v1/stock-transfers/")
def transfer() -> Call:
    stock = StockFactory.create()
    body = {
        "product": stock.product_id,
        "from_location": stock.location_id,
        "to_location": LocationFactory.create().pk,
        "quantity": 1,
    }
    return Call(user=staff("add_stockmovement"), body=body)


# Lists of the admin -------------------------------------------------------------------------------


@scenario("GET /admin/shop/product/")
def admin_products() -> Call:
    return Call(user=superuser(), more=add_product)


@scenario("GET /admin/shop/order/")
def admin_orders() -> Call:
    return Call(user=superuser(), more=OrderFactory.create)


@scenario("GET /admin/shop/location/")
def admin_locations() -> Call:
    return Call(user=superuser(), more=LocationFactory.create)


@scenario("GET /admin/shop/stock/")
@scenario("GET /admin/shop/stockmovement/")
def admin_stock() -> Call:
    return Call(user=superuser(), more=StockFactory.create)


@scenario("GET /admin/shop/review/")
def admin_reviews() -> Call:
    return Call(user=superuser(), more=ReviewFactory.create)


# Tasks --------------------------------------------------------------------------------------------


@scenario("task apps.shop.tasks.send_receipt")
def send_receipt() -> Call:
    order = OrderFactory.create()
    return Call(args=(order.pk,), more=partial(OrderLineFactory.create, order=order))


@scenario("task apps.shop.tasks.reconcile_ratings")
def reconcile_ratings() -> Call:
    return Call(more=ReviewFactory.create)


@scenario("task apps.shop.tasks.render_image")
def render_image() -> Call:
    return Call(args=(add_upload().pk,))


@scenario("task apps.shop.tasks.render_pending_images")
def render_pending_images() -> Call:
    return Call(more=partial(add_upload, created_at=Now() - RENDER_AGAIN - timedelta(minutes=1)))
