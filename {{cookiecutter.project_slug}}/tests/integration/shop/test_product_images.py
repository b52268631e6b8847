"""Pictures of products, from the upload to the link and to the last byte deleted."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from apps.shop import images
from apps.shop.models import Product, ProductImage
from apps.shop.tasks import render_image, render_pending_images
from core.images.rendering import render
from core.storage import StorageUnavailableError
from scripts.servers import RadosGateway
from tests.factories import UserFactory
from tests.integration.shop.factories import ProductFactory
from tests.object_store import BUCKET, ask, names, options
from tests.object_store import client as s3_client
from tests.pictures import bomb, picture, png

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bucket(object_store: RadosGateway, settings: Settings) -> None:
    """An empty one, as the default storage."""
    for name in names(object_store):
        s3_client(object_store).delete_object(Bucket=BUCKET, Key=name)
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "core.storage.s3.PrivateS3Storage",
            "OPTIONS": options(object_store),
        },
    }


@pytest.fixture
def product() -> Product:
    return ProductFactory.create()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(UserFactory.create(is_staff=True))
    return client


def url(product: Product) -> str:
    return f"/api/v1/products/{product.pk}/images/"


def upload(client: Client, product: Product, data: bytes | None = None, name: str = "a.jpg") -> Any:
    content = picture(size=(800, 400)) if data is None else data
    return client.post(url(product), {"file": SimpleUploadedFile(name, content)})


def test_a_picture_is_drawn_and_shown_by_links_and_its_original_is_gone(
    object_store: RadosGateway,
    staff: Client,
    product: Product,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = upload(staff, product, picture(size=(2_000, 1_000)), name="../../x.php")
        assert (response.status_code, response.json()["state"]) == (201, "pending")
        [original] = names(object_store)
        assert original.startswith("products/originals/")
        assert original.endswith(".jpg")
    [shown] = Client().get(f"/api/v1/products/{product.pk}/").json()["images"]
    assert (shown["width"], shown["height"]) == (1_280, 640)
    for link in (shown["url"], shown["thumbnail_url"]):
        found, body = ask(object_store, link)
        assert (found.status, found.headers["Content-Type"]) == (200, "image/webp")
        assert body[:4] == b"RIFF"
        assert ask(object_store, link.partition("?")[0])[0].status == 403
    assert len(names(object_store)) == 2
    assert original not in names(object_store)


def test_a_list_of_products_asks_once_for_all_pictures(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for product in ProductFactory.create_batch(3):
        for _ in range(2):
            ready(product)
        ProductImage.objects.create(product=product, original="products/originals/x.jpg")
    with django_assert_max_num_queries(2):
        found = client.get("/api/v1/products/").json()["results"]
    assert [len(each["images"]) for each in found] == [2, 2, 2]


def ready(product: Product) -> ProductImage:
    kept = {
        name: default_storage.save("products/x.webp", ContentFile(b"x"))
        for name in ("image", "thumbnail")
    }
    return ProductImage.objects.create(product=product, state="ready", width=1, height=1, **kept)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (bomb(), 400, "too_many_pixels"),
        (png(5_001, 5_000), 400, "too_many_pixels"),
        (b"\xff\xd8\xff\xe0", 400, "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", 415, "unsupported_media_type"),
        (b"<html><script>", 415, "unsupported_media_type"),
        (picture("GIF", mode="P"), 415, "unsupported_media_type"),
        (picture() + bytes(10 * 1024**2), 413, "too_large"),
        (bytes(11 * 1024**2), 413, "too_large"),
    ],
    ids=["bomb", "25.005", "damaged", "svg", "html", "gif", "long", "too long"],
)
def test_what_is_no_picture_that_we_draw_is_refused_and_nothing_is_stored(
    object_store: RadosGateway, staff: Client, product: Product, data: bytes, status: int, code: str
) -> None:
    response = upload(staff, product, data, name="photo.jpg")
    body = response.json()
    assert response.status_code == status
    assert code in [body["code"], *(error["code"] for error in body.get("errors", []))]
    assert names(object_store) == []
    assert not ProductImage.objects.exists()


def test_only_staff_add_and_delete_pictures(client: Client, product: Product) -> None:
    image = ready(product)
    for status in (401, 403):  # a visitor, then a customer
        assert upload(client, product).status_code == status
        assert client.get(url(product)).status_code == status
        assert client.delete(f"{url(product)}{image.pk}/").status_code == status
        client.force_login(UserFactory.create())


def test_a_product_that_does_not_exist_gets_no_picture(staff: Client, product: Product) -> None:
    other = ready(ProductFactory.create())
    product.pk += 1_000
    assert upload(staff, product).status_code == 404
    assert staff.delete(f"{url(product)}{other.pk}/").status_code == 404


@pytest.mark.parametrize("fault", ["kill", "freeze"])
def test_a_store_that_is_away_is_a_503_and_pages_go_on(
    object_store: RadosGateway, staff: Client, product: Product, fault: str
) -> None:
    ready(product)
    before = staff.get("/api/v1/products/").json()
    getattr(object_store, fault)()
    response = upload(staff, product)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response.headers["Retry-After"]) > 0
    after = staff.get("/api/v1/products/").json()
    assert [each["images"][0]["id"] for each in after["results"]] == [
        each["images"][0]["id"] for each in before["results"]
    ]
    assert ProductImage.objects.count() == 1


@pytest.mark.parametrize("how", ["alone", "in bulk", "with its product", "by the API"])
def test_the_files_of_a_deleted_row_are_deleted_with_it(
    object_store: RadosGateway,
    staff: Client,
    product: Product,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    how: str,
) -> None:
    image, kept = ready(product), ready(ProductFactory.create())
    with django_capture_on_commit_callbacks(execute=True):
        match how:
            case "alone":
                image.delete()
            case "in bulk":
                ProductImage.objects.filter(product=product).delete()
            case "with its product":
                product.delete()
            case _:
                assert staff.delete(f"{url(product)}{image.pk}/").status_code == 204
        assert len(names(object_store)) == 4  # until the commit
    assert sorted(names(object_store)) == sorted(kept.files)


class TestTheTask:
    """It may run twice, late, or for a picture that is not what the request believed."""

    def pending(self, product: Product, data: bytes | None = None) -> ProductImage:
        content = picture() if data is None else data
        name = default_storage.save("products/originals/x.jpg", ContentFile(content))
        return ProductImage.objects.create(product=product, original=name)

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (bomb(), "too_many_pixels"),
            (picture(noise=True, size=(300, 300))[:5_000], "damaged"),
            (b"GIF89a", "unsupported"),
        ],
        ids=["bomb", "truncated", "gif"],
    )
    def test_a_picture_that_cannot_be_drawn_fails_with_a_reason_and_is_not_kept(
        self,
        object_store: RadosGateway,
        staff: Client,
        product: Product,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
        data: bytes,
        code: str,
    ) -> None:
        image = self.pending(product, data)
        with django_capture_on_commit_callbacks(execute=True):
            render_image(image.pk)
        [seen] = staff.get(url(product)).json()
        assert (seen["state"], seen["failure"]) == ("failed", code)
        assert names(object_store) == []
        assert staff.get(f"/api/v1/products/{product.pk}/").json()["images"] == []

    def test_twice_is_as_good_as_once(
        self,
        object_store: RadosGateway,
        product: Product,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        image = self.pending(product)
        with django_capture_on_commit_callbacks(execute=True):
            render_image(image.pk)
            render_image(image.pk)
        image.refresh_from_db()
        assert sorted(names(object_store)) == sorted(image.files)
        assert len(image.files) == 2

    def test_an_image_that_is_deleted_meanwhile_leaves_nothing(
        self,
        object_store: RadosGateway,
        product: Product,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        image = self.pending(product)

        def delete_then_render(*arguments: Any) -> Any:
            ProductImage.objects.filter(pk=image.pk).delete()
            return render(*arguments)

        monkeypatch.setattr("apps.shop.tasks.render", delete_then_render)
        with django_capture_on_commit_callbacks(execute=True):
            render_image(image.pk)
        assert names(object_store) == []

    def test_a_store_that_is_away_is_tried_again_and_the_image_waits(
        self, object_store: RadosGateway, product: Product
    ) -> None:
        image = self.pending(product)
        object_store.kill()
        with pytest.raises(StorageUnavailableError):
            render_image.run(image.pk)
        assert isinstance(StorageUnavailableError(), render_image.autoretry_for)
        image.refresh_from_db()
        assert image.state == "pending"

    def test_what_was_lost_is_sent_again_and_given_up_after_a_day(
        self,
        product: Product,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        young, lost, old = (self.pending(product) for _ in range(3))
        for image, age in ((lost, timedelta(hours=1)), (old, timedelta(hours=25))):
            ProductImage.objects.filter(pk=image.pk).update(created_at=timezone.now() - age)
        with django_capture_on_commit_callbacks(execute=True):
            render_pending_images()
        states = {image.pk: image for image in ProductImage.objects.all()}
        assert states[young.pk].state == "pending"
        assert states[lost.pk].state == "ready"
        assert (states[old.pk].state, states[old.pk].failure) == ("failed", "gave_up")


def test_a_row_that_cannot_be_written_leaves_no_file(
    object_store: RadosGateway,
    staff: Client,
    product: Product,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def fail(*_: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(images, "_add", fail)
    staff.raise_request_exception = False
    with django_capture_on_commit_callbacks(execute=True):
        assert upload(staff, product).status_code == 500
    assert names(object_store) == []


@pytest.mark.django_db(transaction=True)
def test_a_product_has_ten_pictures_at_most_however_many_come_at_once(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images.render_image, "delay", lambda _: None)
    for _ in range(7):
        ready(product)
    user, together = UserFactory.create(is_staff=True), threading.Barrier(8)

    class Together:
        """A store that takes all of them at the same moment."""

        def save(self, *_: Any) -> str:
            together.wait(10)
            return "products/originals/x.jpg"

    monkeypatch.setattr(images, "default_storage", Together())

    def send(_: int) -> int:
        client = Client()
        client.force_login(user)
        try:
            status: int = upload(client, product).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(send, range(8)))
    assert statuses == [201] * 3 + [400] * 5
    assert product.images.count() == 10
    assert len([name for name in names_of(product) if name]) == 7 * 2 + 3


def names_of(product: Product) -> list[str]:
    return [name for image in product.images.all() for name in image.files]


@pytest.mark.parametrize(
    "change",
    [{"state": "ready"}, {"state": "failed"}, {"original": ""}, {"failure": "x"}, {"image": "x"}],
    ids=str,
)
def test_the_database_refuses_an_image_without_the_files_of_its_state(
    product: Product, change: dict[str, str]
) -> None:
    image = ProductImage.objects.create(product=product, original="products/originals/x.jpg")
    with pytest.raises(IntegrityError), transaction.atomic():
        ProductImage.objects.filter(pk=image.pk).update(**change)


def test_a_file_of_a_row_is_no_orphan(
    object_store: RadosGateway, product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ready(product)
    orphan = default_storage.save("products/x.webp", ContentFile(b"x"))
    call_command("orphaned_files", "--hours", "0")
    assert capsys.readouterr().out.split() == [orphan]
    assert named.files
