"""The transfer of stock in the API, for staff."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import DjangoModelPermissions
from rest_framework.request import Request
from rest_framework.response import Response

from apps.shop.models import Location, Product, StockMovement
from apps.shop.problems import OutOfStock
from apps.shop.stock import MAX_PIECES, OutOfStockError, transfer_stock


class TransferSerializer(serializers.Serializer[StockMovement]):
    """So many pieces, from here to there."""

    product = serializers.PrimaryKeyRelatedField(queryset=Product.objects.all())
    from_location = serializers.PrimaryKeyRelatedField(queryset=Location.objects.all())
    to_location = serializers.PrimaryKeyRelatedField(queryset=Location.objects.all())
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_PIECES)

    def validate(self, transfer: dict[str, Any]) -> dict[str, Any]:
        """Two different locations."""
        if transfer["from_location"] == transfer["to_location"]:
            raise serializers.ValidationError(
                {"to_location": ["The pieces lie there already."]}, code="same_location"
            )
        return transfer


class TransferredSerializer(serializers.Serializer[dict[str, int]]):
    """What lies at both locations after the transfer."""

    from_quantity = serializers.IntegerField()
    to_quantity = serializers.IntegerField()


class StockTransfer(generics.GenericAPIView[StockMovement]):
    """Stock, moved by whoever may add stock movements."""

    permission_classes = [DjangoModelPermissions]
    queryset = StockMovement.objects.none()  # names the permission
    serializer_class = TransferSerializer

    @extend_schema(responses={200: TransferredSerializer})
    def post(self, request: Request) -> Response:
        """Move pieces from one location to another. 409 when there are not enough."""
        new = TransferSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        transfer = new.validated_data
        source, target = transfer["from_location"], transfer["to_location"]
        try:
            left = transfer_stock(
                product=transfer["product"],
                source=source,
                target=target,
                quantity=transfer["quantity"],
            )
        except OutOfStockError:
            raise OutOfStock from None
        return Response({"from_quantity": left[source], "to_quantity": left[target]})
