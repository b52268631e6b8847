"""What a bucket held at a time: former versions, and files behind a delete marker.

Needs a bucket that keeps versions (deploy/backup/object-store). Nothing is deleted here: a restore
is a new version on top, so one that was a mistake is undone by another.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import Any

from core.storage import StorageUnavailableError
from core.storage.s3 import IN_MEMORY, PrivateS3Storage

# What a version says of itself besides its bytes.
_ABOUT = ("ContentType", "ContentDisposition", "ContentEncoding", "CacheControl", "Metadata")


@dataclass(frozen=True)
class Former:
    """A file that is another now, or none; `version` is what stood under its name."""

    name: str
    version: str
    is_deleted: bool


def changed_since(storage: PrivateS3Storage, at: datetime, prefix: str = "") -> Iterator[Former]:
    """The files that stood at `at` and do not now, by name; those made later are not among them.

    Memory for one name's versions. Raises `StorageUnavailableError`, also for a bucket that keeps
    no versions: there is nothing to go back to, and silence would look like nothing lost.
    """
    client = storage.connection.meta.client
    kept = storage.ask("ask", partial(client.get_bucket_versioning, Bucket=storage.bucket_name))
    if kept.get("Status") != "Enabled":
        raise StorageUnavailableError(f"the bucket {storage.bucket_name} keeps no versions")
    for name, versions in groupby(_versions(storage, prefix), key=lambda each: each["Key"]):
        known = list(versions)
        newest = next(each for each in known if each["IsLatest"])
        if _when(newest) <= at:
            continue
        then = max((each for each in known if _when(each) <= at), key=_when, default=None)
        # A marker has no ETag. Equal ones are the same bytes: restored already, or written again.
        if then and "ETag" in then and then["ETag"] != newest.get("ETag"):
            yield Former(name, then["VersionId"], is_deleted="ETag" not in newest)


def _when(version: dict[str, Any]) -> datetime:
    """When it was written. Some servers keep no time for a marker (Ceph's dbstore says 1970): it
    counts as later than all, since a file too many is an orphan and one too few is lost."""
    at: datetime = version["LastModified"]
    return at if at.year > 1970 else datetime.max.replace(tzinfo=UTC)


def restore(storage: PrivateS3Storage, former: Former) -> None:
    """Put it on top again, with its type and its metadata.

    Read and written by this process: a version copied onto its own name is not copied by every
    server (Ceph's dbstore answers 200 and does nothing), and by none above 5 GB.
    """
    client = storage.connection.meta.client
    here = {"Bucket": storage.bucket_name, "Key": former.name}

    def read_and_write() -> None:
        found = client.get_object(**here, VersionId=former.version)
        about = {name: found[name] for name in _ABOUT if name in found}
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            for chunk in found["Body"].iter_chunks(1024 * 1024):
                file.write(chunk)
            file.seek(0)
            client.upload_fileobj(
                file, *here.values(), ExtraArgs=about, Config=storage.transfer_config
            )

    storage.ask("restore", read_and_write)


def _versions(storage: PrivateS3Storage, prefix: str) -> Iterator[dict[str, Any]]:
    """Versions and delete markers, by name."""
    client = storage.connection.meta.client
    more: dict[str, str] = {}
    while True:
        listing = partial(
            client.list_object_versions, Bucket=storage.bucket_name, Prefix=prefix, **more
        )
        page = storage.ask("list", listing)
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        # One page holds the versions of a name together, and its markers in a list of their own.
        yield from sorted(found, key=lambda each: each["Key"])
        if not page["IsTruncated"]:
            return
        more = {"KeyMarker": page["NextKeyMarker"]}
        if "NextVersionIdMarker" in page:
            more["VersionIdMarker"] = page["NextVersionIdMarker"]
