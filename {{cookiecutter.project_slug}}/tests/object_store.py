"""The test's own eyes on the S3 server: plain HTTP, and a client that is not the service's."""

from __future__ import annotations

import os
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from scripts.servers import HOST, RadosGateway

BUCKET = "service-media"


def client(gateway: RadosGateway, **changes: Any) -> Any:
    """boto3's client with the gateway's keys."""
    keys = {
        "aws_access_key_id": gateway.access_key,
        "aws_secret_access_key": gateway.secret_key,
        "region_name": "us-east-1",
    }
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=gateway.url, config=config, **keys | changes)


def make_bucket(gateway: RadosGateway) -> None:
    client(gateway).create_bucket(Bucket=BUCKET)


def options(gateway: RadosGateway, **changes: Any) -> dict[str, Any]:
    """OPTIONS of the service's storage."""
    return {
        "bucket_name": BUCKET,
        "endpoint_url": gateway.url,
        "access_key": gateway.access_key,
        "secret_key": gateway.secret_key,
        **changes,
    }


def hide_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore find none: in no variable, in no file of this user, at no metadata service."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def ask(
    gateway: RadosGateway,
    link: str,
    method: str = "GET",
    body: bytes | None = None,
    **headers: str,
) -> tuple[HTTPResponse, bytes]:
    """Follow a link as a browser whose proxy keeps the host of the link."""
    parts = urlsplit(link)
    connection = HTTPConnection(HOST, gateway.port, timeout=10)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Host": parts.netloc, **sent})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def names(gateway: RadosGateway) -> list[str]:
    """Of every object in the bucket."""
    found = client(gateway).list_objects_v2(Bucket=BUCKET)
    return [each["Key"] for each in found.get("Contents", [])]
