"""The service's storage on a real S3 server."""

from __future__ import annotations

import pytest

from core.storage.s3 import PrivateS3Storage
from scripts.servers import RadosGateway
from tests.object_store import options


@pytest.fixture
def storage(object_store: RadosGateway) -> PrivateS3Storage:
    return PrivateS3Storage(**options(object_store))
