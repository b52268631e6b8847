"""Products, orders and what was ordered.

Money is a whole number of cents in one currency: a float loses cents, and a price that a client
sends is not a price. The database refuses what the code must never write: Django gives a positive
field its CHECK, and the constraints below hold the rest.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Now

from core.db.managers import PeersManager

CURRENCY = "EUR"  # ISO 4217


class Product(models.Model):
    """Something for sale."""

    name = models.CharField(max_length=200)
    price_cents = models.PositiveIntegerField()
    is_available = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = PeersManager()

    class Meta:
        indexes = [
            # The order of the public list, page by page.
            models.Index(fields=["-created_at", "-id"], name="shop_product_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def currency(self) -> str:
        """The one that the shop sells in; an order keeps its own."""
        return CURRENCY


class Order(models.Model):
    """What one customer ordered at one moment; written by `apps.shop.services` alone."""

    class Status(models.TextChoices):
        """An order is paid once and stays paid."""

        PENDING = "pending"
        PAID = "paid"

    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    total_cents = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3, default=CURRENCY)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    paid_at = models.DateTimeField(null=True, editable=False)

    objects = PeersManager()

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-created_at", "-id"], name="shop_order_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="pending", paid_at__isnull=True)
                | Q(status="paid", paid_at__isnull=False),
                name="shop_order_paid_has_a_date",
            ),
        ]

    def __str__(self) -> str:
        return f"Order {self.pk}"

    @property
    def total(self) -> Decimal:
        """In the currency's main unit, exact, for people: 12.90."""
        return Decimal(self.total_cents).scaleb(-2)


class OrderLine(models.Model):
    """One product of an order, at the price it had then."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    unit_price_cents = models.PositiveIntegerField()
    amount_cents = models.GeneratedField(
        # Widened first: two integers multiplied overflow at 21 million.
        expression=Cast("quantity", models.BigIntegerField()) * F("unit_price_cents"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    objects = PeersManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "product"], name="shop_orderline_product_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="shop_orderline_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"

    @property
    def amount(self) -> Decimal:
        """As `Order.total`."""
        return Decimal(self.amount_cents).scaleb(-2)
