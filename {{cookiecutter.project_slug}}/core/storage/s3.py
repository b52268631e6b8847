"""The bucket: django-storages' S3 storage with what its defaults leave open closed.

Its defaults overwrite a file of the same name, sign by the older version 2, wait 60 s for a server
that does not answer, five times, and guess a content type from a name. The library is isolated
here (its maintainer stepped back in 2026): apps see Django's storage API and
`StorageUnavailableError`.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import structlog
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

from core.storage import StorageUnavailableError
from core.storage.names import ServerNames, served_as
from core.storage.signing import presign

logger = structlog.get_logger("core.storage")

# A link's life in seconds, and the fifth of it in which one object has one link: whoever is handed
# a link may use it for 240 s, the most that a response which holds links may be cached.
LINK_SECONDS = 300
LINK_SECONDS_AT_LEAST = 240
# Seconds. With the one that botocore waits for a server's `100 Continue`, 4 for a server that is
# frozen and 2 for one whose packets vanish: below the 5 that an upload may cost.
CONNECT_TIMEOUT, READ_TIMEOUT = 2, 3
# Seconds; what fails sooner is tried once more: a connection that the server had closed, its 503.
QUICK = 0.5
MULTIPART = 64 * 1024 * 1024  # bytes from which an upload is sent in parts
IN_MEMORY = 10 * 1024 * 1024  # bytes of a file that is read, beyond which it is on disk


class PrivateS3Storage(ServerNames, S3Storage):  # type: ignore[misc]  # storages has no types
    """Private objects in one bucket of any server that speaks S3, addressed by path.

    `media_domain` is the host at which browsers reach the same server by HTTPS, when it is not that
    of `endpoint_url`: links are signed for it, so what stands between must keep the Host header.
    Without keys botocore finds some (an IAM role), and the first link of a process asks for them.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._connection: Any = None
        self._credentials: Any = None
        self._connecting = threading.Lock()
        domain = self.media_domain
        self._public = f"https://{domain}" if domain else self.endpoint_url
        self.region_name = region(self.endpoint_url)

    def get_default_settings(self) -> dict[str, Any]:
        """Django's OPTIONS override these."""
        defaults: dict[str, Any] = super().get_default_settings()
        return defaults | {
            "media_domain": None,
            "signature_version": "s3v4",
            "querystring_auth": True,
            "querystring_expire": LINK_SECONDS,
            "file_overwrite": False,
            # No ACL is sent: private is every bucket's own default, and one that has ACLs disabled,
            # as AWS's have, refuses a request that names one.
            "default_acl": None,
            "client_config": Config(
                signature_version="s3v4",
                # Any server and any bucket name, without wildcard DNS or certificate.
                s3={"addressing_style": "path"},
                connect_timeout=CONNECT_TIMEOUT,
                read_timeout=READ_TIMEOUT,
                retries={"total_max_attempts": 1, "mode": "standard"},  # `ask` has a second one
                max_pool_connections=50,  # above the threads of a process
                tcp_keepalive=True,
                # Checksums as trailers are AWS's own; older servers store them in the object.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
            # In the request's thread: the library's pool would start ten for each upload.
            "transfer_config": TransferConfig(use_threads=False, multipart_threshold=MULTIPART),
        }

    @property
    def connection(self) -> Any:
        """One for the process, where the library makes one for each thread (140 ms, 14 MB).

        boto3's clients may be shared by threads; of the resource only factories are used.
        """
        if self._connection is None:
            with self._connecting:
                if self._connection is None:
                    self._connection = self._create_session().resource(
                        "s3",
                        region_name=self.region_name,
                        endpoint_url=self.endpoint_url,
                        config=self.client_config,
                    )
        return self._connection

    @property
    def bucket(self) -> Any:
        """A new object for each caller: boto3's are not for several threads."""
        return self.connection.Bucket(self.bucket_name)

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        content_type, disposition = served_as(name)
        return {
            "ContentType": content_type,
            "ContentDisposition": disposition,
            # A browser's own cache, for as long as the link that it is found by.
            "CacheControl": f"private, max-age={LINK_SECONDS}, immutable",
        }

    def url(self, name: str, expire: int | None = None) -> str:
        """A link for `expire` seconds, less a fifth at most: the same for all who ask meanwhile."""
        seconds = self.querystring_expire if expire is None else expire
        now = time.time()
        keys = self._keys()
        return presign(
            f"{self._public}/{self.bucket_name}/{self._normalize_name(name)}",
            access_key=keys.access_key,
            secret_key=keys.secret_key,
            token=keys.token,
            region=self.region_name,
            at=datetime.fromtimestamp(now - now % max(1, seconds // 5), UTC),
            seconds=seconds,
        )

    def _keys(self) -> Any:
        try:
            return self._attempt(self._find_keys)
        except StorageUnavailableError as error:
            raise self._logged("sign for", error) from error.__cause__

    def _find_keys(self) -> Any:
        if self._credentials is None:
            self._credentials = self._create_session().get_credentials()
            if self._credentials is None:
                raise StorageUnavailableError("no keys for the object store were found")
        return self._credentials.get_frozen_credentials()  # renewed when they are about to end

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ValueError("A stored file is read or saved anew, never changed.")

        def read() -> File[bytes]:
            file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
            with contextlib.ExitStack() as unread:
                unread.callback(file.close)
                # Not boto3's download, which tries five times whatever the client is told.
                body = self.bucket.Object(self._normalize_name(name)).get()["Body"]
                for chunk in body.iter_chunks(1024 * 1024):
                    file.write(chunk)
                file.seek(0)
                unread.pop_all()  # closed by its reader
            return File(file, name)

        return self.ask("read", read)

    def _save(self, name: str, content: Any) -> str:
        saved: str = self.ask("save", partial(super()._save, name, content))
        return saved

    def delete(self, name: str) -> None:
        self.ask("delete", partial(super().delete, name))

    def exists(self, name: str) -> bool:
        found: bool = self.ask("look for", partial(super().exists, name))
        return found

    def size(self, name: str) -> int:
        size: int = self.ask("size", partial(super().size, name))
        return size

    def pages(self, size: int = 1_000) -> Iterator[list[tuple[str, datetime]]]:
        """Name and age of every file, `size` at a time; 1,000 are a server's most."""
        client = self.connection.meta.client
        more: dict[str, Any] = {}
        while True:
            listing = partial(client.list_objects_v2, Bucket=self.bucket_name, MaxKeys=size, **more)
            page = self.ask("list", listing)
            yield [(each["Key"], each["LastModified"]) for each in page.get("Contents", [])]
            if not page["IsTruncated"]:
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def ask[T](self, operation: str, call: Callable[[], T]) -> T:
        """Call, once more when that fails quickly.

        Raises `FileNotFoundError`, else `StorageUnavailableError` for whatever goes wrong.
        """
        started = time.monotonic()
        try:
            return self._attempt(call)
        except StorageUnavailableError as error:
            if time.monotonic() - started > QUICK:
                raise self._logged(operation, error) from error.__cause__
        try:
            return self._attempt(call)
        except StorageUnavailableError as error:
            raise self._logged(operation, error) from error.__cause__

    def _attempt[T](self, call: Callable[[], T]) -> T:
        try:
            return call()
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            code = error.response["Error"].get("Code", "")
            if status == 404 and code != "NoSuchBucket":
                raise FileNotFoundError(code) from None
            raise StorageUnavailableError(f"the object store answered {status} {code}") from error
        except BotoCoreError as error:
            # Its text names hosts and keys, which a client must not read.
            raise StorageUnavailableError(type(error).__name__) from error

    def _logged(self, operation: str, error: StorageUnavailableError) -> StorageUnavailableError:
        logger.error("object store failed", operation=operation, reason=str(error))
        return error


def region(endpoint_url: str | None) -> str:
    """As a provider's host names it (s3.eu-central-1.amazonaws.com); else what servers expect that
    have no regions."""
    host = urlsplit(endpoint_url or "").hostname or ""
    found = re.match(r"s3[.-]([a-z]+-[a-z0-9-]+)\.", host)
    return found[1] if found else "us-east-1"
