from __future__ import annotations

import logging

import pytest
from django.core.cache import cache
from pytest_django import Settings

from core.cache import outage
from core.cache.outage import OneLineASecond


def test_a_thousand_failed_reads_are_one_line_and_the_next_one_counts_them(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(outage.time, "monotonic", lambda: now)
    logger = logging.getLogger("tests.outage")
    logger.addFilter(OneLineASecond())
    with caplog.at_level(logging.INFO, logger="tests.outage"):
        for _ in range(1000):
            logger.error("Exception ignored")
        now += outage.INTERVAL
        logger.error("Exception ignored")

    first, second = caplog.messages
    assert "(0 more" in first
    assert "(999 more" in second


def test_the_cache_writes_to_the_logger_that_is_held_back(
    settings: Settings,
) -> None:
    assert cache.logger.name == settings.DJANGO_REDIS_LOGGER
    assert any(isinstance(each, OneLineASecond) for each in cache.logger.filters)
