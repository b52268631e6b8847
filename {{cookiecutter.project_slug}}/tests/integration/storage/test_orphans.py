from __future__ import annotations

import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from core.storage.management.commands import orphaned_files
from core.storage.s3 import PrivateS3Storage
from core.storage.tasks import delete_files
from scripts.servers import RadosGateway
from tests.object_store import BUCKET, client, names, options

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bucket(object_store: RadosGateway, settings: Settings) -> None:
    """An empty one, as the default storage."""
    for name in names(object_store):
        client(object_store).delete_object(Bucket=BUCKET, Key=name)
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "core.storage.s3.PrivateS3Storage",
            "OPTIONS": options(object_store),
        },
    }


def run(*arguments: str) -> list[str]:
    output = io.StringIO()
    call_command("orphaned_files", *arguments, stdout=output, stderr=io.StringIO())
    return output.getvalue().split()


def test_files_are_deleted_when_the_transaction_is_and_not_by_a_rollback(
    object_store: RadosGateway,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    kept = default_storage.save("a/a.webp", ContentFile(b"x"))
    gone = default_storage.save("a/a.webp", ContentFile(b"x"))
    with django_capture_on_commit_callbacks(execute=True):
        delete_files.delay([gone, "never/there.webp"])
        with transaction.atomic():
            delete_files.delay([kept])
            transaction.set_rollback(True)
        assert sorted(names(object_store)) == sorted([kept, gone])
    assert names(object_store) == [kept]


def test_a_file_that_no_row_names_is_listed_and_deleted_when_asked(
    object_store: RadosGateway,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    named = default_storage.save("a/a.webp", ContentFile(b"x"))
    orphan = default_storage.save("a/a.webp", ContentFile(b"x"))

    def unnamed(page: list[str]) -> list[str]:
        return [name for name in page if name != named]

    monkeypatch.setattr(orphaned_files, "_unnamed", unnamed)
    assert run() == []  # younger than a day: perhaps its row is about to be committed
    assert run("--hours", "0") == [orphan]
    assert sorted(names(object_store)) == sorted([named, orphan])
    with django_capture_on_commit_callbacks(execute=True):
        assert run("--hours", "0", "--delete") == [orphan]
    assert names(object_store) == [named]


def test_a_listing_goes_on_after_its_first_page(object_store: RadosGateway) -> None:
    s3 = client(object_store)
    for number in range(5):
        s3.put_object(Bucket=BUCKET, Key=f"many/{number}", Body=b"")
    storage = PrivateS3Storage(**options(object_store))
    assert [len(page) for page in storage.pages(size=2)] == [2, 2, 1]
