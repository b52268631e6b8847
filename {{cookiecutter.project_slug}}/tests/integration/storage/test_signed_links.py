"""Links against a server that checks them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.core.files.base import ContentFile

from core.storage.s3 import PrivateS3Storage
from core.storage.signing import presign
from scripts.servers import RadosGateway
from tests.object_store import BUCKET, ask, client, options

CONTENT = b"a picture"


@pytest.fixture
def name(storage: PrivateS3Storage) -> str:
    """A file in the bucket."""
    return storage.save("pictures/any.webp", ContentFile(CONTENT))


def sign(storage: PrivateS3Storage, name: str, **changes: Any) -> str:
    given = {
        "access_key": storage.access_key,
        "secret_key": storage.secret_key,
        "region": "us-east-1",
        "at": datetime.now(UTC),
        "seconds": 300,
        **changes,
    }
    return presign(f"{storage.endpoint_url}/{BUCKET}/{name}", **given)


def test_a_link_reads_the_file_with_its_own_type(
    object_store: RadosGateway, storage: PrivateS3Storage, name: str
) -> None:
    response, body = ask(object_store, storage.url(name))
    assert (response.status, body) == (200, CONTENT)
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["Content-Disposition"] == "inline"
    assert response.headers["Cache-Control"] == "private, max-age=300, immutable"


@pytest.mark.parametrize(
    "change",
    [
        lambda link: link.partition("?")[0],
        lambda link: re.sub("(?<=Signature=).", lambda m: "1" if m[0] == "0" else "0", link),
        lambda link: link.replace("X-Amz-Expires=300", "X-Amz-Expires=301"),
        lambda link: link.replace("/pictures/", "/pictures//"),
        lambda link: link.replace(".webp", ".webq"),
        lambda link: link.replace("127.0.0.1", "localhost"),
        lambda link: re.sub("&X-Amz-Signature=.*", "", link),
    ],
    ids=["unsigned", "forged", "prolonged", "path", "name", "host", "without signature"],
)
def test_a_link_that_was_changed_is_refused(
    object_store: RadosGateway, storage: PrivateS3Storage, name: str, change: Any
) -> None:
    link = storage.url(name)
    assert change(link) != link
    response, body = ask(object_store, change(link))
    assert response.status == 403
    assert CONTENT not in body


def test_a_link_of_another_key_is_refused(
    object_store: RadosGateway, storage: PrivateS3Storage, name: str
) -> None:
    assert ask(object_store, sign(storage, name))[0].status == 200
    assert ask(object_store, sign(storage, name, secret_key="x" * 40))[0].status == 403


def test_a_link_ends_after_its_seconds(
    object_store: RadosGateway, storage: PrivateS3Storage, name: str
) -> None:
    now = datetime.now(UTC)
    young, old = now - timedelta(seconds=280), now - timedelta(seconds=301)
    assert ask(object_store, sign(storage, name, at=young))[0].status == 200
    assert ask(object_store, sign(storage, name, at=old))[0].status == 403


def test_a_link_is_the_same_for_a_while_and_lives_long_enough_after_it(
    monkeypatch: pytest.MonkeyPatch, storage: PrivateS3Storage, name: str
) -> None:
    links = []
    for now in (1_800_000_000.0, 1_800_000_059.9, 1_800_000_060.0):
        monkeypatch.setattr("core.storage.s3.time.time", lambda now=now: now)
        links.append(storage.url(name))
    assert links[0] == links[1] != links[2]
    query = parse_qs(urlsplit(links[1]).query)
    signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z").timestamp()
    left = signed + int(query["X-Amz-Expires"][0]) - 1_800_000_059.9
    assert left >= 240


@pytest.mark.parametrize("token", [None, "Zm9v/+=="])
@pytest.mark.parametrize("path", ["a/b.webp", "ä b/(1)+~&='.png", "%2F"])
def test_botocore_signs_the_same_for_any_name_and_with_temporary_keys(
    monkeypatch: pytest.MonkeyPatch, path: str, token: str | None
) -> None:
    at = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: at)
    ours = presign(
        f"https://s3.example/{BUCKET}/{path}",
        access_key="KEY",
        secret_key="SECRET",
        token=token,
        region="eu-west-3",
        at=at,
        seconds=60,
    )
    request = AWSRequest("GET", ours.partition("?")[0])
    S3SigV4QueryAuth(Credentials("KEY", "SECRET", token), "s3", "eu-west-3", 60).add_auth(request)
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(request.url).query)


@pytest.mark.parametrize("path", ["ä b/(1)+~&='.png", "%2F", "a+b%20c"])
def test_the_server_finds_a_file_of_any_name(
    object_store: RadosGateway, storage: PrivateS3Storage, path: str
) -> None:
    client(object_store).put_object(Bucket=BUCKET, Key=path, Body=CONTENT)
    response, body = ask(object_store, sign(storage, path))
    assert (response.status, body) == (200, CONTENT)


def test_a_link_for_the_media_domain_is_good_there_and_nowhere_else(
    object_store: RadosGateway, name: str
) -> None:
    storage = PrivateS3Storage(**options(object_store, media_domain="media.service.test"))
    link = storage.url(name)
    assert link.startswith(f"https://media.service.test/{BUCKET}/{name}?")
    assert ask(object_store, link)[0].status == 200
    other = link.replace("media.service.test", f"127.0.0.1:{object_store.port}")
    assert ask(object_store, other)[0].status == 403


def test_the_server_refuses_what_our_tests_rely_on_it_to_refuse(
    object_store: RadosGateway,
) -> None:
    """The control: with a server that accepts a wrong type, nothing above would prove anything."""
    link = client(object_store).generate_presigned_url(
        "put_object", Params={"Bucket": BUCKET, "Key": "put", "ContentType": "image/png"}
    )
    assert ask(object_store, link, "PUT", b"x", Content_Type="text/html")[0].status == 403
    assert ask(object_store, link, "PUT", b"x", Content_Type="image/png")[0].status == 200
