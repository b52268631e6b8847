"""The session engine: PostgreSQL decides, the cache holds copies, and a stale copy logs nobody in.

Weighed: Django's `cached_db` believes the cache. A logout while Redis was away, a DEL whose answer
was lost, a failover or a restart that lost the last second of an append-only file: the old session
is back, for two weeks. A list of deletions to repeat knows only of those that failed visibly. A
generation in PostgreSQL that processes learn of every second leaves that second open, or makes the
logout wait for it.

Here the end of a session marks its user in the same transaction, and each request of a logged-in
user reads that row anyway: `core.sessions.middleware` compares. So no statement is added to a
request, one to a logout, and once the logout is answered no process accepts the session, whatever
the cache does. What it rests on: the user is read from the primary, not from a replica or a cache.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core.cache import caches
from django.db import models, router, transaction
from django.utils import timezone

from core.sessions.models import distrust_copies

logger = logging.getLogger(__name__)

# Seconds a copy lives. It bounds what no mark covers: the data of visitors without an account, and
# rows that were deleted past this engine. One query for each active session in this time.
COPY_SECONDS = 300


class SessionStore(DatabaseStore):
    """`copied_at` says when the data in memory was copied from PostgreSQL; None: just now."""

    copied_at: datetime | None = None

    def __init__(self, session_key: str | None = None) -> None:
        self._cache = caches[settings.SESSION_CACHE_ALIAS]
        super().__init__(session_key)

    def load(self) -> dict[str, Any]:
        copy = self._attempt(lambda: self._cache.get(_cache_key(self.session_key)))
        if copy is None:
            return self._read(keep=True)
        data: dict[str, Any]
        self.copied_at, data = copy
        return data

    def confirm(self) -> None:
        """Put what PostgreSQL says in the place of the copy."""
        found = self._read(keep=False)
        if self.session_key is None or not self.modified:
            self._session_cache = found

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()  # which saves
            return
        copied_at = timezone.now()
        super().save(must_create)
        data: dict[str, Any] = self._session  # type: ignore[attr-defined]
        if not self._keep(self._cache.set, copied_at, data, self.get_expiry_age()):
            # An older copy may be there when the cache is back.
            self._mark(data)

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is None:
            return
        with transaction.atomic(using=router.db_for_write(self.model)):
            for row in self._rows.filter(session_key=key):
                self._mark(self.decode(row.session_data))
                row.delete()
        self._attempt(lambda: self._cache.delete(_cache_key(key)))

    def flush(self) -> None:
        self.clear()
        self.delete()
        self._session_key = None

    # One thread for each, instead of one for every statement and every call of the cache.

    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    async def aconfirm(self) -> None:
        await sync_to_async(self.confirm)()

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)

    async def aflush(self) -> None:
        await sync_to_async(self.flush)()

    @property
    def _rows(self) -> models.QuerySet[Any]:
        # Of the primary: a replica still has what has just been deleted.
        return self.model._default_manager.using(router.db_for_write(self.model))

    def _read(self, *, keep: bool) -> dict[str, Any]:
        # Before the query: a copy must never look younger than what it holds.
        copied_at = timezone.now()
        self.copied_at = None
        try:
            row = self._rows.get(session_key=self.session_key, expire_date__gt=timezone.now())
        except self.model.DoesNotExist:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(row.session_data)
        if keep:
            # add(): a request that saved in the meantime knows better.
            lifetime = self.get_expiry_age(expiry=row.expire_date)
            self._keep(self._cache.add, copied_at, data, lifetime)
        return data

    def _keep(
        self, write: Callable[..., Any], copied_at: datetime, data: dict[str, Any], lifetime: int
    ) -> Any:
        key, timeout = _cache_key(self.session_key), min(lifetime, COPY_SECONDS)
        return self._attempt(lambda: write(key, (copied_at, data), timeout=timeout))

    def _mark(self, data: dict[str, Any]) -> None:
        if SESSION_KEY in data:
            owners = get_user_model()._base_manager
            distrust_copies(owners.filter(pk=data[SESSION_KEY]))

    def _attempt(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception:  # an entry that cannot be unpickled, a cache that does not fail open
            logger.exception("The cache failed, which counts as a miss.")
            return None


def _cache_key(session_key: str | None) -> str:
    return f"core.sessions:{session_key}"
