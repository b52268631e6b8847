"""What the service hears about a client, whatever the client says of itself."""

from __future__ import annotations

import re

import pytest

from scripts.servers import HOST, Nginx
from tests.server.nginx.client import Client, said_by_balancer

LIES = {
    "X-Forwarded-For": "198.51.100.66",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Port": "6666",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil",
    "X-Forwarded-Scheme": "evil",
    "X-Forwarded-Protocol": "evil",
    "X-Forwarded-Ssl": "off",
    "Front-End-Https": "off",
    "Forwarded": "for=198.51.100.66;host=evil.test",
    "X-Real-IP": "198.51.100.66",
    "X-Client-IP": "198.51.100.66",
    "Client-IP": "198.51.100.66",
    "True-Client-IP": "198.51.100.66",
    "CF-Connecting-IP": "198.51.100.66",
    "X-Original-URL": "/evil/",
    "X-Rewrite-URL": "/evil/",
    "X-Original-Host": "evil.test",
    "X-Host": "evil.test",
    "Remote-User": "evil",
    "Script-Name": "/evil",
    "Path-Info": "/evil",
    "Proxy": "http://evil.test",
    "X-Request-ID": "evil-evil-evil",
    "Upgrade": "evil",
    "X_Forwarded_For": "198.51.100.66",
}


@pytest.fixture
def balancer(proxy: Nginx) -> Client:
    return Client(proxy, HOST, plain=True)


def test_nothing_survives_that_a_client_says_of_itself(client: Client) -> None:
    heard = client.ask("/test/echo/", headers=LIES).json
    assert not [value for value in heard["headers"].values() if value in LIES.values()]
    assert (heard["client"], heard["scheme"]) == (client.address, "https")
    assert heard["host"] == "service.test"
    headers = heard["headers"]
    assert headers["X-Forwarded-For"] == headers["X-Real-Ip"] == client.address
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Forwarded-Host"] == "service.test"
    assert "Forwarded" not in headers


def test_a_balancer_that_is_believed_names_client_scheme_and_request(balancer: Client) -> None:
    said = said_by_balancer("198.51.100.66, 203.0.113.7", X_Request_ID="from-the-balancer")
    answer = balancer.ask("/test/echo/", headers=said)
    # The last address is what the balancer saw; the first is what its client made up.
    assert (answer.json["client"], answer.json["scheme"]) == ("203.0.113.7", "https")
    assert answer.headers["X-Request-ID"] == "from-the-balancer"


@pytest.mark.parametrize("forged", ["short", "a b c d e f g h", "x" * 129, "{$(reboot)}"])
def test_a_request_id_that_is_none_is_replaced_by_32_digits(balancer: Client, forged: str) -> None:
    answer = balancer.ask("/test/echo/", headers=said_by_balancer(X_Request_ID=forged))
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_the_answer_and_the_log_of_both_name_the_same_request(
    client: Client, proxy: Nginx, web: object
) -> None:
    answer = client.ask("/test/echo/?secret=in-the-query")
    ident = answer.headers["X-Request-ID"]
    assert answer.json["headers"]["X-Request-Id"] == ident
    proxy.process.wait_until(lambda: ident in proxy.access_log.read_text(), 5)
    lines = [line for line in proxy.access_log.read_text().splitlines() if ident in line]
    assert len(lines) == 1
    assert "in-the-query" not in lines[0]


def test_plain_http_is_sent_to_https_and_no_header_of_a_client_prevents_it(proxy: Nginx) -> None:
    plain = Client(proxy, plain=True)
    for headers in ({}, {"X-Forwarded-Proto": "https"}, said_by_balancer()):
        answer = plain.ask("/a/page/?q=1", headers=headers)
        assert answer.status == 301
        assert answer.headers["Location"] == "https://service.test/a/page/?q=1"


def test_a_balancer_that_took_plain_http_is_told_to_redirect(balancer: Client) -> None:
    said = said_by_balancer() | {"X-Forwarded-Proto": "http"}
    assert balancer.ask("/", headers=said).status == 301
