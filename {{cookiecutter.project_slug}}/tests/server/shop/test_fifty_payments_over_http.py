"""Fifty clients pay one order, and order the last pieces, at gunicorn with production settings."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from http import HTTPStatus
from subprocess import CompletedProcess
from typing import Any

from scripts.servers import Postgres, Valkey
from tests.broker import Queue
from tests.factories import PASSWORD
from tests.server.conftest import DATABASE, StartRole
from tests.server.roles import Role
from tests.server.shop.test_an_order_from_the_list_to_the_receipt import Customer

FIFTY = 50
TRIES = 5
EMAIL = "fifty@example.org"
SEED = """
from apps.shop.models import Location, Product
from apps.shop.stock import receive_stock
from apps.users.models import User
User.objects.filter(email=%r).exists() or User.objects.create_user(%r, %r)
pen = Product.objects.create(name="Pen", price_cents=100)
location, _ = Location.objects.get_or_create(name="Warehouse")
receive_stock(product=pen, location=location, quantity=11)
print(pen.pk)
"""
LEFT = """
SELECT quantity, (SELECT sum(change) FROM shop_stockmovement WHERE stock_id = shop_stock.id)
FROM shop_stock WHERE product_id = :pen
"""


def log_in(web: Role) -> Customer:
    customer = Customer(web)
    customer.call("GET", "session/")
    status, _ = customer.call("POST", "session/", {"email": EMAIL, "password": PASSWORD})
    assert status == 200
    return customer


def fifty_times(customer: Customer, path: str, sent: Any = None) -> list[tuple[int, Any]]:
    """The same call of the same session by fifty clients that start together."""
    together = threading.Barrier(FIFTY)

    def call(_: int) -> tuple[int, Any]:
        client = copy(customer)
        together.wait(timeout=30)
        for _ in range(TRIES):
            status, answer = client.call("POST", path, sent)
            # On a slow machine the last of those that wait for one row pass its lock_timeout.
            if status != HTTPStatus.SERVICE_UNAVAILABLE:
                break
        return status, answer

    with ThreadPoolExecutor(FIFTY) as pool:
        return list(pool.map(call, range(FIFTY)))


def test_one_payment_has_an_effect_and_ten_orders_get_the_last_ten_pieces(
    start_role: StartRole,
    manage: Callable[..., CompletedProcess[str]],
    postgres: Postgres,
    broker_server: Valkey,
) -> None:
    seeded = manage("shell", "--no-imports", "-c", SEED % (EMAIL, EMAIL, PASSWORD))
    assert seeded.returncode == 0, seeded.stderr
    pen = int(seeded.stdout)
    queue = Queue(broker_server.url, "default")
    sent = {"lines": [{"product": pen, "quantity": 1}]}

    # 32 requests at a time, in two processes; the others wait in the kernel.
    with start_role("web", env={"WEB_CONCURRENCY": "2", "THREADS": "16"}) as web:
        customer = log_in(web)
        _, order = customer.call("POST", "orders/", sent)
        payments = fifty_times(customer, f"orders/{order['id']}/payment/")
        orders = fifty_times(customer, "orders/", sent)
    with start_role("relay") as relay:
        relay.wait_until(lambda: queue.waiting > 0)

    status, paid = payments[0]
    assert (status, paid["status"]) == (200, "paid")
    assert payments == [(200, paid)] * FIFTY
    [receipt] = queue.messages
    queue.close()
    assert (receipt["task"], receipt["args"]) == ("apps.shop.tasks.send_receipt", [order["id"]])

    assert Counter(status for status, _ in orders) == {201: 10, 409: 40}
    [left] = postgres.psql(LEFT, database=DATABASE, variables={"pen": str(pen)}).splitlines()
    assert left == "0|0"
