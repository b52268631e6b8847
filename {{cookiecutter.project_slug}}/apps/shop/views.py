"""The shop's API."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.shop.images import with_images
from apps.shop.models import Order, Product
from apps.shop.problems import OutOfStock
from apps.shop.serializers import (
    NewOrderSerializer,
    OrderSerializer,
    ProductFilters,
    ProductSerializer,
)
from apps.shop.services import UnavailableProductsError, pay_order, place_order
from apps.shop.stock import OutOfStockError
from apps.users.models import User
from core.caching.policy import Public
from core.idempotency.views import idempotent
from core.lists.expand import is_expanded

# Seconds: a price on a page may be a minute old, as an order takes its prices from the database.
# Both together stay below the 240 s that the links of its pictures hold (core.storage.s3).
PRODUCTS_POLICY = Public(max_age=60, stale_while_revalidate=120)


class ProductList(generics.ListAPIView[Product]):
    """What is for sale, newest first unless `ordering` says otherwise."""

    # Public for everybody alike: no session is read.
    authentication_classes = ()
    cache_policy = PRODUCTS_POLICY
    filters = ProductFilters
    # Each has an index that serves both directions.
    orderings = {"newest": "-created_at", "price": "price_cents", "-price": "-price_cents"}
    permission_classes = [AllowAny]
    serializer_class = ProductSerializer
    queryset = with_images(Product.objects.filter(is_available=True).select_related("rating"))


class ProductDetail(generics.RetrieveAPIView[Product]):
    """One product."""

    # Public for everybody alike: no session is read.
    authentication_classes = ()
    cache_policy = PRODUCTS_POLICY
    permission_classes = [AllowAny]
    serializer_class = ProductSerializer
    queryset = with_images(Product.objects.filter(is_available=True).select_related("rating"))


class CustomerOrders(generics.GenericAPIView[Order]):
    """The caller's own orders: another customer's is not found, which says nothing about it."""

    serializer_class = OrderSerializer
    expandable = ("lines.product",)

    def get_queryset(self) -> QuerySet[Order]:
        """Two queries for the lines of a whole page; one more where products are expanded."""
        products = Product.objects.all()
        if is_expanded(self.request, "lines.product"):
            products = with_images(products.select_related("rating"))
        mine = Order.objects.filter(customer_id=self.request.user.pk)
        return mine.prefetch_related(Prefetch("lines__product", queryset=products))


class OrderList(CustomerOrders, generics.ListAPIView[Order]):
    """The caller's orders, newest first."""

    @extend_schema(request=NewOrderSerializer, responses={201: OrderSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Place an order at today's prices. 409 when there are not enough pieces."""
        new = NewOrderSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        lines = new.validated_data["lines"]
        try:
            order = place_order(
                customer=cast(User, request.user),
                quantities={line["product"]: line["quantity"] for line in lines},
            )
        except UnavailableProductsError as error:
            raise ValidationError(
                _at_lines(lines, error.product_ids, "This product is not for sale."),
                code="not_for_sale",
            ) from None
        except OutOfStockError as error:
            raise OutOfStock(
                _at_lines(lines, error.product_ids, "There are not enough pieces.")
            ) from None
        placed = self.get_queryset().get(pk=order.pk)
        return Response(
            OrderSerializer(placed).data,
            status=201,
            headers={"Location": reverse("order", args=[order.pk])},
        )


class OrderDetail(CustomerOrders, generics.RetrieveAPIView[Order]):
    """One of the caller's orders."""


class OrderPayment(CustomerOrders):
    """The payment of an order."""

    @extend_schema(request=None, responses=OrderSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Pay. A second call answers the same and does nothing."""
        try:
            order = pay_order(pk, customer=cast(User, request.user))
        except Order.DoesNotExist:
            raise Http404 from None
        return Response(OrderSerializer(self.get_queryset().get(pk=order.pk)).data)


def _at_lines(lines: list[dict[str, int]], product_ids: set[int], text: str) -> dict[str, Any]:
    return {
        "lines": {
            index: {"product": [text]}
            for index, line in enumerate(lines)
            if line["product"] in product_ids
        }
    }
