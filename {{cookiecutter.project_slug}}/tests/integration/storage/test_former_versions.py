"""Files that were deleted or overwritten come back, from the real S3 server."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from core.storage.s3 import PrivateS3Storage
from scripts.servers import RadosGateway
from tests.object_store import client, options

BUCKET = "versioned-media"


@pytest.fixture
def media(
    object_store: RadosGateway, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PrivateS3Storage]:
    """The default storage, in a bucket that keeps versions."""
    eyes = client(object_store)
    eyes.create_bucket(Bucket=BUCKET)
    eyes.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    storage = PrivateS3Storage(**options(object_store, bucket_name=BUCKET))
    monkeypatch.setitem(storages._storages, "default", storage)
    yield storage
    found = eyes.list_object_versions(Bucket=BUCKET)
    for each in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        eyes.delete_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])


def now() -> str:
    """With a second on both sides: servers keep a version's time to the second."""
    threading.Event().wait(1.1)
    at = datetime.now(UTC).isoformat()
    threading.Event().wait(1.1)
    return at


def restore(*arguments: str) -> str:
    out = io.StringIO()
    call_command("media", "restore", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def put(storage: PrivateS3Storage, name: str, content: bytes) -> None:
    """As whoever overwrites: the storage itself never does."""
    storage.connection.meta.client.put_object(
        Bucket=BUCKET, Key=name, Body=content, ContentType="image/webp", Metadata={"by": "test"}
    )


def read(storage: PrivateS3Storage, name: str) -> bytes:
    with storage.open(name) as file:
        content: bytes = file.read()
    return content


def test_what_was_deleted_or_overwritten_since_comes_back_and_what_is_new_stays(
    media: PrivateS3Storage,
) -> None:
    deleted = media.save("pictures/a.webp", ContentFile(b"deleted"))
    put(media, "pictures/changed.webp", b"as it was")
    put(media, "pictures/same.webp", b"same")
    put(media, "letters/changed.webp", b"as it was")
    at = now()
    media.delete(deleted)
    for name in ("pictures/changed.webp", "letters/changed.webp"):
        put(media, name, b"overwritten")
        put(media, name, b"and again")
    put(media, "pictures/same.webp", b"same")
    put(media, "pictures/new.webp", b"new")

    told = restore("--at", at, "--prefix", "pictures/")
    assert sorted(told.splitlines()) == ["changed pictures/changed.webp", f"deleted {deleted}"]
    assert not media.exists(deleted)  # without --write nothing happens

    restore("--at", at, "--prefix", "pictures/", "--write")
    assert read(media, deleted) == b"deleted"
    assert read(media, "pictures/changed.webp") == b"as it was"
    assert read(media, "pictures/new.webp") == b"new"
    assert read(media, "letters/changed.webp") == b"and again"
    kept = media.connection.meta.client.head_object(Bucket=BUCKET, Key="pictures/changed.webp")
    assert (kept["ContentType"], kept["Metadata"]) == ("image/webp", {"by": "test"})
    # A second run finds nothing, and what was overwritten by the first is still there.
    assert restore("--at", at, "--prefix", "pictures/") == ""
    versions = media.connection.meta.client.list_object_versions(
        Bucket=BUCKET, Prefix="pictures/changed"
    )["Versions"]
    assert len(versions) == 4


def test_more_files_than_a_page_of_the_server_holds(
    media: PrivateS3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"pages/{number}.webp" for number in range(5)]
    for name in names:
        put(media, name, b"was")
    at = now()
    for name in names:
        media.delete(name)
    ask = media.connection.meta.client.list_object_versions
    monkeypatch.setattr(
        media.connection.meta.client,
        "list_object_versions",
        lambda **words: ask(**words, MaxKeys=3),
    )
    restore("--at", at, "--prefix", "pages/", "--write")
    assert [read(media, name) for name in names] == [b"was"] * 5


def test_a_bucket_that_keeps_no_versions_is_an_error_and_not_nothing_lost(
    media: PrivateS3Storage,
) -> None:
    client = media.connection.meta.client
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    with pytest.raises(CommandError, match="keeps no versions"):
        restore("--at", "2026-01-01")


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2999-01-01T00:00:00Z", "yet to come"),
        ("noon", "no time"),
        ("2026-13-01T00:00", "month must be"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(
    media: PrivateS3Storage, at: str, told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        restore("--at", at)


def test_files_that_are_in_no_bucket_have_no_versions() -> None:
    with pytest.raises(CommandError, match="not in a bucket"):
        restore("--at", "2026-01-01T00:00:00Z")
