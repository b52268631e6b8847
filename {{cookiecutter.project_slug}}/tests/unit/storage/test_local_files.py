"""Development's files: the same names, types and links as in the bucket."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.http import Http404
from django.test import RequestFactory
from django.urls import Resolver404, resolve
from pytest_django import Settings

from core.storage import local
from core.storage.local import LocalStorage

MADE = re.compile(r"pictures/([0-9a-f]{2})/\1[0-9a-f]{30}\.(webp|bin)")


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> LocalStorage:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "core.storage.local.LocalStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }
    return LocalStorage(location=tmp_path)


def follow(link: str) -> tuple[str, str, bytes]:
    request = RequestFactory().get(link)
    response = local.serve(request, request.path.removeprefix("/media/"))
    content = response.getvalue()
    # Not response.close(), which asks the database as the end of a request does.
    for close in response._resource_closers:
        close()
    disposition = response.headers["Content-Disposition"].partition(";")[0]
    return response.headers["Content-Type"], disposition, content


def test_a_file_is_read_by_its_link_as_what_its_name_says(storage: LocalStorage) -> None:
    picture = storage.save("pictures/a.webp", ContentFile(b"x"))
    page = storage.save("pictures/a.html", ContentFile(b"<script>"))
    assert MADE.fullmatch(picture)
    assert MADE.fullmatch(page)
    assert follow(storage.url(picture)) == ("image/webp", "inline", b"x")
    assert follow(storage.url(page)) == ("application/octet-stream", "attachment", b"<script>")


def test_a_link_that_is_changed_or_late_is_refused(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = storage.save("pictures/a.webp", ContentFile(b"x"))
    other = storage.save("pictures/a.webp", ContentFile(b"y"))
    link = storage.url(name)
    for changed in (
        link.partition("?")[0],
        link.replace(name, other),
        link.replace("expires=", "expires=1"),
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        f"/media/{name}?expires=x&signature=",
    ):
        with pytest.raises(PermissionDenied):
            follow(changed)
    late = time.time() + 301
    monkeypatch.setattr("core.storage.local.time.time", lambda: late)
    with pytest.raises(PermissionDenied):
        follow(link)


def test_a_link_out_of_the_folder_or_to_nothing_is_not_found(storage: LocalStorage) -> None:
    for name in ("../../etc/passwd", "pictures", "none.webp"):
        with pytest.raises(Http404):
            follow(storage.url(name))


def test_only_development_serves_files() -> None:
    with pytest.raises(Resolver404):
        resolve("/media/a.webp")
