"""Web and worker as in production, a real mail server's side of SMTP, and one customer."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.factories import PASSWORD
from tests.server.conftest import StartRole
from tests.server.roles import Role

EMAIL = "ada@example.org"
SEED = """
from apps.shop.models import Product
from apps.users.models import User
from core.outbox.models import Message
Message.objects.all().delete()  # what another test left unsent would be sent here
User.objects.filter(email=%r).exists() or User.objects.create_user(%r, %r)
Product.objects.create(name="Fountain pen", price_cents=3450)
"""


class MailServer(socketserver.ThreadingTCPServer):
    """Accepts every message and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages: list[str] = []


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            match line[:4].upper():
                case b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    message = b"".join(iter(self.rfile.readline, b".\r\n"))
                    self.server.messages.append(message.decode())
                    self.wfile.write(b"250 kept\r\n")
                case b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                case _:
                    self.wfile.write(b"250 fine\r\n")


class Customer:
    """A browser: keeps cookies, sends the origin and the CSRF token of the last answer."""

    def __init__(self, web: Role) -> None:
        self.web = web
        self.cookies: SimpleCookie = SimpleCookie()
        self.token = ""

    def call(self, method: str, path: str, sent: Any = None, **headers: str) -> tuple[int, Any]:
        response, body = self.web.request(
            method,
            "/api/v1/" + path,
            timeout=30,
            body=None if sent is None else json.dumps(sent),
            headers={
                "Content-Type": "application/json",
                "Cookie": "; ".join(f"{name}={m.value}" for name, m in self.cookies.items()),
                "Origin": "https://service.test",
                "X-CSRFToken": self.token,
                **headers,
            },
        )
        for header in response.headers.get_all("Set-Cookie") or []:
            self.cookies.load(header)
        answer = json.loads(body)
        self.token = answer.get("csrf_token", self.token)
        return response.status, answer


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_an_order_is_placed_and_paid_and_its_receipt_bears_the_id_of_the_request(
    start_role: StartRole,
    manage: Callable[..., CompletedProcess[str]],
    mail_server: MailServer,
) -> None:
    seeded = manage("shell", "-c", SEED % (EMAIL, EMAIL, PASSWORD))
    assert seeded.returncode == 0, seeded.stderr
    mail = {"EMAIL_URL": f"smtp://127.0.0.1:{mail_server.server_address[1]}"}

    with (
        start_role("web") as web,
        start_role("worker", env=mail) as worker,
        start_role("relay"),
    ):
        customer = Customer(web)
        assert customer.call("GET", "session/")[1]["user"] is None
        status, session = customer.call("POST", "session/", {"email": EMAIL, "password": PASSWORD})
        assert (status, session["user"]["email"]) == (200, EMAIL)
        assert set(customer.cookies) == {"__Host-session", "__Host-csrf"}

        _, products = customer.call("GET", "products/")
        product = products["results"][0]["id"]
        sent = {"lines": [{"product": product, "quantity": 2}]}
        status, order = customer.call("POST", "orders/", sent)
        assert (status, order["total_cents"], order["status"]) == (201, 6900, "pending")

        path = f"orders/{order['id']}/payment/"
        status, paid = customer.call("POST", path, **{"X-Request-ID": "first-payment"})
        assert (status, paid["status"]) == (200, "paid")
        assert customer.call("POST", path, **{"X-Request-ID": "second-payment"}) == (200, paid)

        line = json.loads(worker.wait_for_line("receipt sent"))
        assert (line["request_id"], line["order_id"]) == ("first-payment", order["id"])

    receipts = [line for line in worker.logs if line["message"] == "receipt sent"]
    assert len(receipts) == 1
    [message] = mail_server.messages
    assert f"To: {EMAIL}" in message
    assert "Total: 69.00 EUR" in message
