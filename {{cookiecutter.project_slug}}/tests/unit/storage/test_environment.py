"""What config/env.py says about the bucket, before anything asks it."""

from __future__ import annotations

import pytest

from config.env import load
from core.environment import InvalidEnvironmentError
from scripts.check_settings import complete

AWS = "https://s3.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"S3_BUCKET": ""}, "S3_BUCKET is missing"),
        ({"S3_BUCKET": "Not a bucket"}, "S3_BUCKET is not a bucket's name"),
        ({"S3_ENDPOINT_URL": ""}, "S3_ENDPOINT_URL is missing"),
        ({"S3_ENDPOINT_URL": AWS + "/bucket"}, "S3_ENDPOINT_URL is an origin"),
        ({"S3_ACCESS_KEY_ID": "KEY"}, "belong together"),
        ({"S3_SECRET_ACCESS_KEY": "half-of-a-key"}, "belong together"),
        ({"S3_MEDIA_DOMAIN": "media.example.org"}, "S3_MEDIA_DOMAIN cannot stand for AWS"),
        ({"S3_ENDPOINT_URL": "http://store:9000"}, "browsers would read files in the clear"),
    ],
)
def test_a_bucket_that_cannot_work_stops_the_start(changes: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidEnvironmentError, match=words) as error:
        load(complete("production") | {"S3_ENDPOINT_URL": AWS} | changes)
    assert len(error.value.problems) == 1
    assert "half-of-a-key" not in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"S3_ACCESS_KEY_ID": "KEY", "S3_SECRET_ACCESS_KEY": "secret"},
        {"S3_ENDPOINT_URL": "http://store:9000", "S3_MEDIA_DOMAIN": "media.example.org"},
        {"S3_ENDPOINT_URL": "https://store.example.org", "S3_MEDIA_DOMAIN": "media.example.org"},
    ],
)
def test_keys_may_be_the_machines_and_a_proxy_may_stand_in_front(changes: dict[str, str]) -> None:
    assert load(complete("production") | changes).S3_BUCKET
