"""Celery's application with every task of the service registered, as a worker has it."""

from __future__ import annotations

import pytest
from celery import Celery

from config.celery import app


@pytest.fixture
def loaded_app(monkeypatch: pytest.MonkeyPatch) -> Celery:
    """Loaded as by scripts/start.sh: without system checks, one of which asks the database."""
    monkeypatch.setenv("CELERY_SKIP_CHECKS", "true")
    app.loader.import_default_modules()
    return app
