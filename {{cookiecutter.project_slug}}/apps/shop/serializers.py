"""What the shop's API says, and what it accepts."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.shop.models import Order, OrderLine, Product, ProductImage
from core.lists.expand import Expandable
from core.lists.parameters import Filters

MAX_LINES = 50
MAX_QUANTITY = 1_000


class ImageSerializer(serializers.ModelSerializer[ProductImage]):
    """A picture of a product: two sizes, by links that end after some minutes."""

    url = serializers.FileField(source="image", read_only=True)
    thumbnail_url = serializers.FileField(source="thumbnail", read_only=True)

    class Meta:
        model = ProductImage
        fields = ["id", "width", "height", "url", "thumbnail_url"]
        read_only_fields = fields


class ProductSerializer(serializers.ModelSerializer[Product]):
    """A product, its price today and what customers think of it, in stars from 1 to 5."""

    currency = serializers.CharField(read_only=True)
    review_count = serializers.IntegerField(read_only=True)
    average_rating = serializers.DecimalField(
        source="rating.average", read_only=True, allow_null=True, max_digits=20, decimal_places=2
    )
    images = ImageSerializer(many=True, read_only=True)

    class Meta:
        model = Product
        fields = [
            "id",
            "name",
            "price_cents",
            "currency",
            "created_at",
            "review_count",
            "average_rating",
            "images",
        ]
        read_only_fields = fields


class ProductFilters(Filters):
    """What the list of products can be filtered by."""

    min_price_cents = serializers.IntegerField(source="price_cents__gte", min_value=0)
    max_price_cents = serializers.IntegerField(source="price_cents__lte", min_value=0)
    name = serializers.CharField(
        source="name__startswith", max_length=200, help_text="The name begins with it, in its case."
    )


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    """One product of an order, at the price it had then."""

    product = Expandable(ProductSerializer, path="lines.product")
    product_name = serializers.CharField(source="product.name", read_only=True)

    class Meta:
        model = OrderLine
        fields = ["product", "product_name", "quantity", "unit_price_cents", "amount_cents"]
        read_only_fields = fields


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order with its lines."""

    lines = OrderLineSerializer(many=True, read_only=True)

    class Meta:
        model = Order
        fields = ["id", "status", "total_cents", "currency", "created_at", "paid_at", "lines"]
        read_only_fields = fields


class NewLineSerializer(serializers.Serializer[dict[str, int]]):
    """A product and how many of it. The price is the server's to know."""

    product = serializers.IntegerField(min_value=1)
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)


class NewOrderSerializer(serializers.Serializer[dict[str, Any]]):
    """What a customer wants."""

    lines = serializers.ListField(child=NewLineSerializer(), min_length=1, max_length=MAX_LINES)

    def validate_lines(self, lines: list[dict[str, int]]) -> list[dict[str, int]]:
        """One line for each product."""
        products = [line["product"] for line in lines]
        if len(set(products)) < len(products):
            raise serializers.ValidationError("A product stands in two lines.", code="duplicate")
        return lines
