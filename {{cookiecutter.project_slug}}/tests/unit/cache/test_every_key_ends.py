"""Refusals; no server is asked. That what is accepted ends is tested with a real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django_redis.cache import RedisCache

from core.cache.backend import ExpiringRedisCache

WITHOUT_END: dict[str, Callable[[Any], Any]] = {
    "set": lambda cache: cache.set("k", 1, timeout=None),
    "set, by position": lambda cache: cache.set("k", 1, None),
    "add": lambda cache: cache.add("k", 1, timeout=None),
    "get_or_set": lambda cache: cache.get_or_set("k", 1, timeout=None),
    "set_many": lambda cache: cache.set_many({"k": 1}, timeout=None),
    "touch": lambda cache: cache.touch("k", timeout=None),
    "expire": lambda cache: cache.expire("k", None),
    "persist": lambda cache: cache.persist("k"),
    "incr that creates": lambda cache: cache.incr("k", ignore_key_check=True),
    "lock": lambda cache: cache.lock("k"),
    "hset": lambda cache: cache.hset("k", "f", 1),
    "sadd": lambda cache: cache.sadd("k", 1),
    "smove": lambda cache: cache.smove("k", "l", 1),
    "sunionstore": lambda cache: cache.sunionstore("k", "l"),
    "sinterstore": lambda cache: cache.sinterstore("k", "l"),
    "sdiffstore": lambda cache: cache.sdiffstore("k", "l"),
    "zadd": lambda cache: cache.zadd("k", {"a": 1}),
    "zincrby": lambda cache: cache.zincrby("k", 1, "a"),
}


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The service's cache, without a value for any key."""
    monkeypatch.setattr(RedisCache, "get", lambda _cache, _key, default=None, **_: default)
    return caches["default"]


@pytest.mark.parametrize("write", WITHOUT_END.values(), ids=WITHOUT_END.keys())
def test_a_write_without_an_end_is_refused(cache: Any, write: Callable[[Any], Any]) -> None:
    assert isinstance(cache, ExpiringRedisCache)
    with pytest.raises(ValueError, match="A cache key must expire"):
        write(cache)
