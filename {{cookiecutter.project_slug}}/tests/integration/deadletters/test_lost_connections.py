"""A worker that loses its broker while it holds a message connects again, and does not end."""

from __future__ import annotations

import pytest

from config.celery import app
from scripts.servers import Valkey


def test_putting_back_by_a_connection_that_was_given_up_is_an_error_that_celery_expects(
    broker_server: Valkey,
) -> None:
    connection = app.connection_for_read()
    channel = connection.channel()
    broker_server.kill()
    connection.collect()  # what Celery does first
    with pytest.raises(connection.connection_errors):
        channel.qos.restore_unacked()
