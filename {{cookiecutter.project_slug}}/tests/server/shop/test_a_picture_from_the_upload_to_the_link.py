"""Web and worker as in production, with a bucket that is reached under another name."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from scripts.servers import RadosGateway, guardian
from tests.object_store import BUCKET, ask
from tests.pictures import bomb, picture
from tests.server.conftest import StartRole
from tests.server.roles import Role

TOKEN = "x" * 32
SEED = """
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from apps.shop.models import Product, ProductImage
from apps.users.models import User
user = User.objects.create_user("staff%s@example.org", "any password", is_staff=True)
client = Client()
client.force_login(user)
product = Product.objects.create(name="Pen", price_cents=1)
print(product.pk, client.cookies["__Host-session"].value)
"""
PENDING = """
import sys
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from apps.shop.models import ProductImage
from apps.shop.tasks import render_image
name = default_storage.save("products/originals/x.png", ContentFile(open(%r, "rb").read()))
render_image.delay(ProductImage.objects.create(product_id=%s, original=name).pk)
"""

Manage = Callable[..., CompletedProcess[str]]


class Staff:
    """A browser of somebody who may add pictures to one product."""

    def __init__(self, web: Role, product: str, session: str) -> None:
        self.web = web
        self.url = f"/api/v1/products/{product}/"
        self.headers = {
            "Cookie": f"__Host-session={session}; __Host-csrf={TOKEN}",
            "Origin": "https://service.test",
            "X-CSRFToken": TOKEN,
            "Content-Type": "multipart/form-data; boundary=X",
        }

    def upload(self, data: bytes) -> tuple[int, Any]:
        head = b'--X\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        response, body = self.web.request(
            "POST",
            self.url + "images/",
            body=head + data + b"\r\n--X--\r\n",
            headers=self.headers,
            timeout=20,
        )
        return response.status, json.loads(body)

    def images(self) -> Any:
        return json.loads(self.web.get(self.url)[1])["images"]


@pytest.fixture
def bucket(object_store: RadosGateway) -> dict[str, str]:
    return {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": object_store.url,
        "S3_MEDIA_DOMAIN": "media.service.test",
        "S3_ACCESS_KEY_ID": object_store.access_key,
        "S3_SECRET_ACCESS_KEY": object_store.secret_key,
        "WEB_CONCURRENCY": "1",
    }


@pytest.fixture
def staff(start_role: StartRole, manage: Manage, bucket: dict[str, str]) -> Iterator[Staff]:
    seeded = manage("shell", "-v0", "-c", SEED % uuid.uuid4().hex, env=bucket)
    assert seeded.returncode == 0, seeded.stderr
    with start_role("web", env=bucket) as web:
        yield Staff(web, *seeded.stdout.split())


def rss(role: Role) -> float:
    """MB of all its processes."""
    sizes = []
    for entry in guardian.tree(role.pid):
        for line in Path(f"/proc/{entry.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                sizes.append(int(line.split()[1]) / 1024)
    return sum(sizes)


def test_a_picture_is_uploaded_drawn_and_read_at_the_media_domain(
    object_store: RadosGateway, start_role: StartRole, staff: Staff, bucket: dict[str, str]
) -> None:
    status, image = staff.upload(picture(size=(2_000, 1_500)))
    assert (status, image["state"]) == (201, "pending")
    assert staff.images() == []
    with start_role("worker", env=bucket) as worker:
        line = json.loads(worker.wait_for_line("image rendered"))
        assert line["state"] == "ready"
        worker.wait_for_line("files deleted")
    [shown] = staff.images()
    assert shown["url"].startswith(f"https://media.service.test/{BUCKET}/products/")
    response, body = ask(object_store, shown["url"])
    assert (response.status, body[:4]) == (200, b"RIFF")
    assert ask(object_store, shown["url"][:-1])[0].status == 403
    page, _ = staff.web.get("/")
    assert f"https://media.service.test/{BUCKET}/" in page.headers["Content-Security-Policy"]


def test_a_picture_of_144_megapixels_is_refused_and_costs_the_web_process_nothing(
    staff: Staff,
) -> None:
    data = bomb()
    assert staff.upload(picture())[0] == 201  # the first one loads the client of the store
    before = rss(staff.web)
    for _ in range(10):
        status, body = staff.upload(data)
        assert (status, body["errors"][0]["code"]) == (400, "too_many_pixels")
    assert rss(staff.web) - before <= 20


def test_a_worker_survives_a_picture_of_144_megapixels_that_got_in_all_the_same(
    start_role: StartRole, manage: Manage, staff: Staff, bucket: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bomb.png").write_bytes(bomb())
    product = staff.url.split("/")[-2]
    # One process: a second one would load the client of the store, 35 MB, for its first task.
    with start_role("worker", "low", "--concurrency=1", env=bucket) as worker:
        staff.upload(picture())
        worker.wait_for_line('"state":"ready"')
        before, processes = rss(worker), {entry.pid for entry in guardian.tree(worker.pid)}
        done = manage("shell", "-c", PENDING % (str(tmp_path / "bomb.png"), product), env=bucket)
        assert done.returncode == 0, done.stderr
        failed = json.loads(worker.wait_for_line('"state":"failed"'))
        assert failed["failure"] == "too_many_pixels"
        assert {entry.pid for entry in guardian.tree(worker.pid)} == processes
        assert rss(worker) - before <= 20


def test_a_store_that_is_frozen_costs_an_upload_five_seconds_and_a_page_nothing(
    object_store: RadosGateway, start_role: StartRole, staff: Staff, bucket: dict[str, str]
) -> None:
    with start_role("worker", env=bucket) as worker:
        staff.upload(picture())
        worker.wait_for_line('"state":"ready"')
    object_store.freeze()
    started = time.monotonic()
    status, body = staff.upload(picture())
    assert (status, body["code"]) == (503, "unavailable")
    assert time.monotonic() - started <= 5.5  # with the request around it
    assert staff.images()[0]["url"].startswith("https://media.service.test/")
