"""The list of products: filtered, ordered, each from an index; and orders with their products."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.shop.models import ProductImage
from apps.shop.views import PRODUCTS_POLICY
from core.storage.s3 import LINK_SECONDS_AT_LEAST
from tests.factories import UserFactory
from tests.integration.shop.factories import OrderFactory, ProductFactory
from tests.object_store import BUCKET, hide_keys

pytestmark = pytest.mark.django_db
URL = "/api/v1/products/"
POLICY = "public, max-age=60, stale-while-revalidate=120"


def names(client: Client, query: str) -> list[str]:
    response = client.get(URL + query)
    assert response.status_code == 200, response.content
    return [product["name"] for product in response.json()["results"]]


def test_a_picture_whose_link_cannot_be_signed_makes_it_a_503(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_keys(monkeypatch)
    storage = {"BACKEND": "core.storage.s3.PrivateS3Storage", "OPTIONS": {"bucket_name": BUCKET}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    ProductImage.objects.create(
        product=ProductFactory.create(),
        state=ProductImage.State.READY,
        image="products/a.webp",
        thumbnail="products/b.webp",
        width=8,
        height=8,
    )
    response = client.get(URL)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.fixture
def _products() -> None:
    for name, price_cents in [("Pen", 300), ("Ink", 900), ("Pencil", 100), ("Paper", 300)]:
        ProductFactory.create(name=name, price_cents=price_cents)
    ProductFactory.create(name="Penholder", price_cents=1, is_available=False)


@pytest.mark.usefixtures("_products")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Paper", "Pencil", "Ink", "Pen"]),
        ("?ordering=newest", ["Paper", "Pencil", "Ink", "Pen"]),
        ("?ordering=price", ["Pencil", "Pen", "Paper", "Ink"]),
        ("?ordering=-price", ["Ink", "Paper", "Pen", "Pencil"]),
        ("?min_price_cents=300&max_price_cents=300", ["Paper", "Pen"]),
        ("?min_price_cents=301", ["Ink"]),
        ("?name=Pen", ["Pencil", "Pen"]),
        ("?name=pen", []),
        ("?name=%25", []),
        ("?name=Pen&max_price_cents=100&ordering=price", ["Pencil"]),
        ("?min_price_cents=99999999999999999999", []),
    ],
)
def test_products_are_filtered_and_ordered(client: Client, query: str, found: list[str]) -> None:
    assert names(client, query) == found


@pytest.mark.parametrize("query", ["?min_price_cents=-1", "?max_price_cents=x", "?is_available=0"])
def test_what_is_no_filter_is_refused(client: Client, query: str) -> None:
    response = client.get(URL + query)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameters")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("?ordering=newest", "shop_product_newest"),
        ("?ordering=price", "shop_product_price"),
        ("?ordering=-price", "shop_product_price"),
        ("?min_price_cents=5000&max_price_cents=5002", "shop_product_price"),
        ("?name=Item+1234", "shop_product_name_prefix"),
    ],
)
def test_a_page_deep_in_the_list_comes_from_an_index(
    client: Client, query: str, index: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shop_product (name, price_cents, is_available, created_at) "
            "SELECT 'Item ' || n, n, true, now() - n * interval '1 second' "
            "FROM generate_series(1, 20000) n"
        )
        cursor.execute("ANALYZE shop_product")
    page = client.get(URL + query + "&page_size=2").json()
    for url in filter(None, [URL + query, page["next"]]):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        products, *_ = captured.captured_queries
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + products["sql"])
            plan = "\n".join(line for [line] in cursor.fetchall())
        assert index in plan, plan
        assert "Seq Scan on shop_product " not in plan, plan


def test_products_may_be_kept_by_everybody_and_asked_for_again(client: Client) -> None:
    product = ProductFactory.create()
    client.force_login(UserFactory.create())
    for path in (URL, f"{URL}{product.pk}/"):
        first = client.get(path)
        again = client.get(path, headers={"if-none-match": first.headers["ETag"]})
        assert first.headers["Cache-Control"] == again.headers["Cache-Control"] == POLICY
        assert (again.status_code, again.content) == (304, b"")
    product.name = "Another"
    product.save()
    changed = client.get(path, headers={"if-none-match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_a_kept_list_never_outlives_the_links_of_its_pictures() -> None:
    kept = PRODUCTS_POLICY.max_age + PRODUCTS_POLICY.stale_while_revalidate
    assert 0 < kept < LINK_SECONDS_AT_LEAST


class TestExpand:
    """`?expand=lines.product` on orders."""

    def line(self, client: Client, path: str) -> dict[str, Any]:
        order = client.get(path).json()
        [line] = (order["results"][0] if "results" in order else order)["lines"]
        return dict(line)

    def test_the_products_of_an_order_are_ids_unless_they_are_expanded(
        self, client: Client
    ) -> None:
        order = OrderFactory.create()
        product = order.lines.get().product
        client.force_login(order.customer)
        for path in ("/api/v1/orders/", f"/api/v1/orders/{order.pk}/"):
            assert self.line(client, path)["product"] == product.pk
            expanded = self.line(client, path + "?expand=lines.product")["product"]
            assert expanded == client.get(f"{URL}{product.pk}/").json()

    @pytest.mark.parametrize("asked", ["customer", "lines", "lines.product.maker"])
    def test_nothing_else_is_expanded(self, client: Client, asked: str) -> None:
        client.force_login(UserFactory.create())
        response = client.get(f"/api/v1/orders/?expand={asked}")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_parameters")

    def test_it_costs_one_query_more_for_all_pictures_of_a_page(self, client: Client) -> None:
        order = OrderFactory.create(lines=3)
        client.force_login(order.customer)
        client.get("/api/v1/orders/")  # warms the session
        counts = []
        for query in ("", "?expand=lines.product"):
            with CaptureQueriesContext(connection) as captured:
                client.get("/api/v1/orders/" + query)
            counts.append(len(captured))
        assert counts[1] == counts[0] + 1


def test_the_document_says_what_there_is(client: Client) -> None:
    accept = {"accept": "application/vnd.oai.openapi+json"}
    document = client.get("/api/schema/", headers=accept).json()

    def parameters(path: str) -> dict[str, Any]:
        operation = document["paths"][path]["get"]
        return {each["name"]: each for each in operation.get("parameters", ())}

    products = parameters(URL)
    assert set(products) == {
        "cursor",
        "page_size",
        "ordering",
        "min_price_cents",
        "max_price_cents",
        "name",
    }
    assert products["ordering"]["schema"]["enum"] == ["newest", "price", "-price"]
    assert not any(each.get("required") for each in products.values())
    assert "expand" in parameters("/api/v1/orders/")
    assert set(parameters("/api/v1/orders/{id}/")) == {"id", "expand"}
    line = document["components"]["schemas"]["OrderLine"]["properties"]["product"]
    assert line["oneOf"] == [{"type": "integer"}, {"$ref": "#/components/schemas/Product"}]
