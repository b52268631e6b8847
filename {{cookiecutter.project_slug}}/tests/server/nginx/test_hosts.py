"""By which names the service is reached, and what is not reached by them."""

from __future__ import annotations

import socket
import ssl

import pytest

from scripts.servers import HOST, Nginx
from tests.server.nginx.client import Client

ADMIN = "admin.service.test"


@pytest.mark.parametrize("host", ["evil.test", "service.test.evil.test", "127.0.0.1", "x"])
def test_a_host_that_is_not_ours_is_misdirected(proxy: Nginx, host: str) -> None:
    assert Client(proxy, plain=True).ask("/", host=host).status == 421


def test_a_name_that_is_not_ours_sees_no_certificate(client: Client) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        client.connect("evil.test")


def test_the_other_name_leads_to_the_one_with_its_path_and_query(client: Client) -> None:
    answer = client.ask("/a/page/?q=1", host="www.service.test")
    assert answer.status == 301
    assert answer.headers["Location"] == "https://service.test/a/page/?q=1"


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/", "/admin/login/", "/%61dmin/", "//admin/", "/x/../admin/"]
)
def test_the_admin_is_not_on_the_public_host_however_it_is_written(
    client: Client, path: str
) -> None:
    answer = client.ask(path)
    assert answer.status == 404
    assert len(answer.headers.get_all("Strict-Transport-Security") or []) == 0  # nginx's own


def test_the_admin_answers_on_its_own_host(client: Client) -> None:
    assert client.ask("/admin/", host=ADMIN).status == 302  # to the login form


@pytest.mark.parametrize("path", ["/metrics", "/__heartbeat__", "/livez", "/readyz", "/metrics/"])
@pytest.mark.parametrize("host", ["service.test", ADMIN])
def test_what_is_for_the_orchestrator_is_not_routed(client: Client, path: str, host: str) -> None:
    answer = client.ask(path, host=host)
    assert answer.status == 404
    assert "Page not found" in answer.body.decode()


def test_a_balancer_asks_by_address_whether_a_worker_answers(proxy: Nginx) -> None:
    answer = Client(proxy, plain=True).ask("/__lbheartbeat__", host=HOST)
    assert (answer.status, answer.body) == (200, b"ok\n")


def test_the_service_alone_sends_strict_transport_security(client: Client) -> None:
    assert len(client.ask("/").headers.get_all("Strict-Transport-Security") or []) == 1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_before_1_2_is_refused(proxy: Nginx) -> None:
    old = proxy.trust()
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection((HOST, proxy.tls_port), timeout=5) as connection,
        pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"),
    ):
        old.wrap_socket(connection, server_hostname="service.test")


def test_http_2_is_offered(proxy: Nginx) -> None:
    context = proxy.trust()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((HOST, proxy.tls_port), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname="service.test") as secured,
    ):
        assert secured.selected_alpn_protocol() == "h2"
