from __future__ import annotations

import pytest

from core.storage.s3 import region


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ("https://s3.us-west-004.backblazeb2.com", "us-west-004"),
        ("https://s3.fr-par.scw.cloud", "fr-par"),
        ("https://s3.amazonaws.com", "us-east-1"),
        ("https://minio.example.org:9000", "us-east-1"),
        ("http://127.0.0.1:9000", "us-east-1"),
        (None, "us-east-1"),
    ],
)
def test_the_region_is_the_one_that_the_endpoint_names(endpoint: str, expected: str) -> None:
    assert region(endpoint) == expected
