"""Development without S3: files in a folder, read by links that expire as well.

A page that works here works with the bucket: names, content types and the life of a link are the
same. Never in production: a second replica would not see the files.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.core.exceptions import PermissionDenied, SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage, storages
from django.core.signing import Signer
from django.http import FileResponse, Http404, HttpRequest
from django.urls import URLPattern, path
from django.utils.crypto import constant_time_compare

from core.storage.names import ServerNames, served_as

LINK_SECONDS = 300
PREFIX = "media/"
_signer = Signer(salt="core.storage.local")


class LocalStorage(ServerNames, FileSystemStorage):
    """Files below `location`, served by `urlpatterns`."""

    def url(self, name: str | None, expire: int = LINK_SECONDS) -> str:
        """A link for `expire` seconds, less a fifth at most, as in the bucket."""
        now = int(time.time())
        ends = now - now % max(1, expire // 5) + expire
        query = urlencode({"expires": ends, "signature": _signer.signature(f"{name} {ends}")})
        return f"/{PREFIX}{quote(name or '')}?{query}"

    def pages(self) -> Iterator[list[tuple[str, datetime]]]:
        """Name and age of every file, a folder at a time."""
        root = Path(self.location)
        for folder, _, files in root.walk():
            found = [folder / name for name in files]
            yield [
                (str(each.relative_to(root)), datetime.fromtimestamp(each.stat().st_mtime, UTC))
                for each in found
            ]


def serve(request: HttpRequest, name: str) -> FileResponse:
    """A file by its link. Raises `PermissionDenied` for one that is forged, changed or late."""
    storage = storages["default"]
    ends, signature = request.GET.get("expires", ""), request.GET.get("signature", "")
    if not constant_time_compare(signature, _signer.signature(f"{name} {ends}")):
        raise PermissionDenied
    if int(ends) <= time.time():
        raise PermissionDenied
    try:
        file = storage.open(name)
    except (FileNotFoundError, IsADirectoryError, SuspiciousFileOperation):
        raise Http404 from None
    content_type, disposition = served_as(name)
    headers: dict[str, Any] = {
        "Cache-Control": f"private, max-age={LINK_SECONDS}, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return FileResponse(
        file,
        as_attachment=disposition == "attachment",
        content_type=content_type,
        headers=headers,
    )


urlpatterns: list[URLPattern] = [path(f"{PREFIX}<path:name>", serve, name="local-media")]
