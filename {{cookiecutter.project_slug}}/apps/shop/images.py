"""Pictures of products: taken from staff, drawn by the worker, shown by links that expire."""

from __future__ import annotations

from typing import Any, cast

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.shop.models import Product, ProductImage
from apps.shop.tasks import render_image
from core.api.uploads import UploadView
from core.images.errors import ImageRefusedError
from core.images.header import MAX_PIXELS, read_header
from core.problems.exceptions import ServiceUnavailable
from core.storage import StorageUnavailableError
from core.storage.tasks import delete_files

MAX_IMAGES = 10  # of a product; each is two links of 500 bytes in every list
MAX_BYTES = 10 * 1024 * 1024

REFUSALS = {
    "damaged": "The picture is damaged or ends too early.",
    "too_many_pixels": f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels.",
}


def with_images(products: QuerySet[Product]) -> QuerySet[Product]:
    """One more query for the pictures of a whole page."""
    ready = ProductImage.objects.filter(state=ProductImage.State.READY).order_by("pk")
    return products.prefetch_related(Prefetch("images", queryset=ready))


class UploadedImageSerializer(serializers.ModelSerializer[ProductImage]):
    """What became of an upload; one that failed says why."""

    class Meta:
        model = ProductImage
        fields = ["id", "state", "failure", "created_at"]
        read_only_fields = fields


class NewImageSerializer(serializers.Serializer[dict[str, Any]]):
    """A JPEG, PNG or WebP file of at most 10 MB and 25 megapixels."""

    file = serializers.FileField()


class ImageList(UploadView):
    """The pictures of a product, for its staff."""

    permission_classes = [IsAdminUser]
    max_upload_bytes = MAX_BYTES
    queue = "low"  # where pictures are drawn

    @extend_schema(responses=UploadedImageSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """All of them, with what became of each."""
        product = get_object_or_404(Product, pk=pk)
        return Response(UploadedImageSerializer(product.images.order_by("pk"), many=True).data)

    @extend_schema(
        request={"multipart/form-data": NewImageSerializer},
        responses={201: UploadedImageSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Add a picture. It is shown with the product once the worker has drawn it."""
        product = get_object_or_404(Product, pk=pk)
        file = self.uploaded(request, "file")
        try:
            suffix = read_header(cast(Any, file)).suffix
        except ImageRefusedError as refused:
            if refused.code == "unsupported":
                raise UnsupportedMediaType("", "A picture is a JPEG, PNG or WebP file.") from None
            raise ValidationError({"file": [REFUSALS[refused.code]]}, code=refused.code) from None
        # Before it is stored, and again with the lock.
        _refuse_more(product)
        try:
            name = default_storage.save(f"products/originals/image{suffix}", file)
        except StorageUnavailableError:
            raise ServiceUnavailable("The picture cannot be stored now. Try again.") from None
        try:
            image = _add(product, name)
        except BaseException:
            delete_files.delay([name])
            raise
        return Response(UploadedImageSerializer(image).data, status=201)


class ImageDetail(APIView):
    """A picture of a product, for its staff."""

    permission_classes = [IsAdminUser]

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int, image_id: int) -> Response:
        """Delete it, and its files."""
        get_object_or_404(ProductImage, pk=image_id, product_id=pk).delete()
        return Response(status=204)


@transaction.atomic
def _add(product: Product, name: str) -> ProductImage:
    Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    _refuse_more(product)
    image = ProductImage.objects.create(product=product, original=name)
    render_image.delay(image.pk)
    return image


def _refuse_more(product: Product) -> None:
    if product.images.count() >= MAX_IMAGES:
        raise ValidationError(f"A product has at most {MAX_IMAGES} pictures.", code="too_many")
