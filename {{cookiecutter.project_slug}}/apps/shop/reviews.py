"""Reviews in the API."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from apps.shop.models import Product, Review
from apps.shop.problems import AlreadyReviewed
from apps.shop.ratings import AlreadyReviewedError, write_review
from apps.users.models import User


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """Stars and words. Not the customer: a name was given for an account, not for a public page."""

    class Meta:
        model = Review
        fields = ["id", "rating", "text", "created_at"]
        read_only_fields = ["id", "created_at"]


class ReviewList(generics.ListAPIView[Review]):
    """What customers say of a product, newest first."""

    permission_classes = [IsAuthenticatedOrReadOnly]
    serializer_class = ReviewSerializer
    queryset = Review.objects.all()

    def get_authenticators(self) -> list[BaseAuthentication]:
        """None for a reader: the list is the same for everybody, and no session is read."""
        if getattr(self.request, "method", None) in SAFE_METHODS:
            return []
        return super().get_authenticators()

    def get_queryset(self) -> QuerySet[Review]:
        """Those of the product. Raises `Http404` when it is not for sale."""
        return super().get_queryset().filter(product_id=self._product().pk)

    @extend_schema(request=ReviewSerializer, responses={201: ReviewSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Review a product, once. 409 for a second time."""
        new = ReviewSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        try:
            review = write_review(
                product=self._product(), customer=cast(User, request.user), **new.validated_data
            )
        except AlreadyReviewedError:
            raise AlreadyReviewed from None
        return Response(ReviewSerializer(review).data, status=201)

    def _product(self) -> Product:
        return get_object_or_404(Product, pk=self.kwargs["pk"], is_available=True)
