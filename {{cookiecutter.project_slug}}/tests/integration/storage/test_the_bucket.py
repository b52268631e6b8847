"""What is stored, under which name, and what happens when the server does not answer."""

from __future__ import annotations

import hashlib
import re
import select
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from core.storage import StorageUnavailableError
from core.storage.s3 import PrivateS3Storage
from scripts.servers import HOST, RadosGateway
from tests.logged import logged
from tests.object_store import BUCKET, ask, client, hide_keys, names, options

MADE = re.compile(r"pictures/([0-9a-f]{2})/\1[0-9a-f]{30}\.(webp|bin)")


def read(storage: PrivateS3Storage, name: str) -> bytes:
    with storage.open(name) as file:
        content: bytes = file.read()
    return content


@pytest.mark.parametrize(
    "given",
    ["a.webp", "../../etc/passwd.webp", "a.webp.html", "a.svg", "%2e%2e.WEBP", "a\0.webp", "é"],
)
def test_a_name_is_the_servers_and_an_active_type_is_a_download(
    object_store: RadosGateway, storage: PrivateS3Storage, given: str
) -> None:
    upload = SimpleUploadedFile(given, b"<script>", content_type="text/html")
    name = storage.save(f"pictures/{upload.name}", upload)
    assert MADE.fullmatch(name)
    response, _ = ask(object_store, storage.url(name))
    served = response.headers["Content-Type"], response.headers["Content-Disposition"]
    if name.endswith(".webp"):
        assert served == ("image/webp", "inline")
    else:
        assert served == ("application/octet-stream", "attachment")


def test_a_second_file_of_a_name_overwrites_nothing(storage: PrivateS3Storage) -> None:
    first = storage.save("pictures/a.webp", ContentFile(b"first"))
    second = storage.save("pictures/a.webp", ContentFile(b"second"))
    again = storage.save(first, ContentFile(b"third"))
    assert len({first, second, again}) == 3
    assert [read(storage, name) for name in (first, second, again)] == [
        b"first",
        b"second",
        b"third",
    ]
    with pytest.raises(ValueError, match="never changed"):
        storage.open(first, "wb")


def test_nobody_lists_or_reads_without_a_signature(
    object_store: RadosGateway, storage: PrivateS3Storage
) -> None:
    name = storage.save("pictures/a.webp", ContentFile(b"x"))
    for path in (f"/{BUCKET}", f"/{BUCKET}?list-type=2", f"/{BUCKET}/{name}", f"/{BUCKET}?acl"):
        assert ask(object_store, object_store.url + path)[0].status == 403
    grants = client(object_store).get_object_acl(Bucket=BUCKET, Key=name)["Grants"]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]


def test_a_deleted_file_is_gone_and_may_be_deleted_again(storage: PrivateS3Storage) -> None:
    name = storage.save("pictures/a.webp", ContentFile(b"x"))
    assert (storage.exists(name), storage.size(name)) == (True, 1)
    storage.delete(name)
    storage.delete(name)
    assert not storage.exists(name)
    with pytest.raises(FileNotFoundError):
        storage.open(name)


def test_ten_megabytes_are_one_request(
    object_store: RadosGateway, storage: PrivateS3Storage
) -> None:
    content = bytes(range(256)) * 40_960
    name = storage.save("pictures/a.webp", ContentFile(content))
    # Parts would show in the tag.
    tag = client(object_store).head_object(Bucket=BUCKET, Key=name)["ETag"]
    assert tag == f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
    assert read(storage, name) == content


def test_threads_share_one_client(storage: PrivateS3Storage) -> None:
    together = threading.Barrier(8)

    def save(number: int) -> tuple[int, bytes]:
        together.wait(10)
        name = storage.save("pictures/a.webp", ContentFile(str(number).encode()))
        return id(storage.connection), read(storage, name)

    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(save, range(8)))
    assert [content for _, content in saved] == [str(number).encode() for number in range(8)]
    assert len({client for client, _ in saved}) == 1


CALLS: list[Callable[[PrivateS3Storage], Any]] = [
    lambda storage: storage.save("pictures/a.webp", ContentFile(b"x" * 1_000_000)),
    lambda storage: storage.open("a"),
    lambda storage: storage.delete("a"),
    lambda storage: storage.exists("a"),
    lambda storage: list(storage.pages()),
]


@pytest.mark.parametrize("profile", [None, "missing"])
def test_a_link_without_keys_is_an_outage_that_is_logged(
    profile: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_keys(monkeypatch)
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    storage = PrivateS3Storage(bucket_name=BUCKET, endpoint_url="https://s3.example.org")
    with logged() as lines, pytest.raises(StorageUnavailableError):
        storage.url("pictures/a.webp")
    assert [line["message"] for line in lines.json] == ["object store failed"]


@pytest.mark.parametrize("call", CALLS, ids=["save", "open", "delete", "exists", "list"])
@pytest.mark.parametrize("fault", ["kill", "freeze"])
def test_a_server_that_is_away_costs_at_most_five_seconds_and_links_go_on(
    object_store: RadosGateway,
    storage: PrivateS3Storage,
    fault: str,
    call: Callable[[PrivateS3Storage], Any],
) -> None:
    name = storage.save("pictures/a.webp", ContentFile(b"x"))
    getattr(object_store, fault)()
    started = time.monotonic()
    with logged() as lines, pytest.raises(StorageUnavailableError) as raised:
        call(storage)
    assert time.monotonic() - started < 5
    assert object_store.url not in str(raised.value)
    assert [line["message"] for line in lines.json] == ["object store failed"]
    link = storage.url(name)
    object_store.thaw()
    object_store.start()
    assert ask(object_store, link)[0].status == 200


@pytest.mark.parametrize(
    "wrong", [{"secret_key": "x" * 40}, {"access_key": "NOBODY"}, {"bucket_name": "not-there"}]
)
def test_a_server_that_refuses_us_is_unavailable(
    object_store: RadosGateway, wrong: dict[str, str]
) -> None:
    storage = PrivateS3Storage(**options(object_store, **wrong))
    with pytest.raises(StorageUnavailableError, match=r"answered 40[34]"):
        storage.save("pictures/a.webp", ContentFile(b"x"))
    with pytest.raises(StorageUnavailableError):
        storage.open("pictures/a.webp")


class Hasty(socketserver.ThreadingTCPServer):
    """Hangs up on its first connections and passes the others on."""

    daemon_threads = True

    def __init__(self, gateway: RadosGateway, hang_up: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.gateway, self.hang_up, self.seen = gateway, hang_up, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Connection(socketserver.BaseRequestHandler):
    server: Hasty

    def handle(self) -> None:
        self.server.seen += 1
        if self.server.seen <= self.server.hang_up:
            return
        with socket.create_connection(("127.0.0.1", self.server.gateway.port)) as behind:
            ends = {self.request: behind, behind: self.request}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(65_536)
                    if not data:
                        return
                    ends[end].sendall(data)


@pytest.mark.parametrize(("hang_up", "stored"), [(1, True), (2, False)])
def test_a_server_that_hangs_up_is_asked_once_more_and_no_oftener(
    object_store: RadosGateway, hang_up: int, stored: bool
) -> None:
    with Hasty(object_store, hang_up) as hasty:
        threading.Thread(target=hasty.serve_forever, daemon=True).start()
        storage = PrivateS3Storage(**options(object_store, endpoint_url=hasty.url))
        if stored:
            name = storage.save("pictures/a.webp", ContentFile(b"y"))
            assert name in names(object_store)
        else:
            with pytest.raises(StorageUnavailableError):
                storage.save("pictures/a.webp", ContentFile(b"y"))
        assert hasty.seen == 2
        storage.connection.meta.client.close()
        hasty.shutdown()


def test_a_host_whose_packets_vanish_costs_at_most_five_seconds(
    object_store: RadosGateway,
) -> None:
    with a_port_that_drops_packets() as port:
        storage = PrivateS3Storage(**options(object_store, endpoint_url=f"http://{HOST}:{port}"))
        started = time.monotonic()
        with pytest.raises(StorageUnavailableError):
            storage.save("pictures/a.webp", ContentFile(b"x"))
        assert 1 < time.monotonic() - started < 5


@contextmanager
def a_port_that_drops_packets() -> Iterator[int]:
    """Whose queue of connections is full, so that the kernel answers no more of them."""
    with ExitStack() as kept:
        deaf = kept.enter_context(socket.create_server((HOST, 0), backlog=0))
        while True:
            waiting = kept.enter_context(socket.socket())
            waiting.settimeout(0.3)  # seconds; on loopback an answer takes microseconds
            try:
                waiting.connect(deaf.getsockname())
            except TimeoutError:
                break
        yield deaf.getsockname()[1]
