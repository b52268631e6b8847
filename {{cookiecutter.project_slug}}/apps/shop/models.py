"""Products, orders and what was ordered; what is in stock, and what customers say of it.

Money is a whole number of cents in one currency: a float loses cents, and a price that a client
sends is not a price. The database refuses what the code must never write: Django gives a positive
field its CHECK, and the constraints below hold the rest.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Now, NullIf, Round

from core.db.models import Model

CURRENCY = "EUR"  # ISO 4217


class Product(Model):
    """Something for sale."""

    name = models.CharField(max_length=200)
    price_cents = models.PositiveIntegerField()
    is_available = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            # The order of the public list, page by page.
            models.Index(fields=["-created_at", "-id"], name="shop_product_newest"),
            models.Index(fields=["price_cents", "id"], name="shop_product_price"),
            # A prefix is found by it in every collation.
            models.Index(
                fields=["name"], opclasses=["varchar_pattern_ops"], name="shop_product_name_prefix"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def currency(self) -> str:
        """The one that the shop sells in; an order keeps its own."""
        return CURRENCY

    @property
    def review_count(self) -> int:
        """Kept in `rating`, which the first review makes: read it by `select_related`."""
        rating: ProductRating | None = getattr(self, "rating", None)
        return rating.review_count if rating else 0


class Order(Model):
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


class OrderLine(Model):
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


# Stock and reviews ------------------------------------------------------------------------------


class Location(Model):
    """Where pieces lie: a warehouse, a branch."""

    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


class Stock(Model):
    """How many pieces of a product lie at a location; written by `apps.shop.stock` alone.

    A product without any such row is not counted, and never sold out.
    """

    # No index of its own: the constraint's begins with it.
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="stock", db_index=False
    )
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="stock")
    # Not a positive field: its CHECK has no name of ours, by which the code could know it.
    quantity = models.BigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name_plural = "stock"
        constraints = [
            models.UniqueConstraint(fields=["product", "location"], name="shop_stock_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="shop_stock_not_negative"),
        ]

    def __str__(self) -> str:
        return f"Stock {self.pk}"


class StockMovement(Model):
    """One change of one stock, in the transaction that made it; the sum of all is the stock."""

    class Reason(models.TextChoices):
        """Why pieces came or went."""

        RECEIVED = "received"
        TRANSFERRED = "transferred"
        ORDERED = "ordered"

    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="movements")
    change = models.BigIntegerField()
    reason = models.CharField(max_length=20, choices=Reason)
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, related_name="stock_movements"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(change=0), name="shop_movement_moves"),
            models.CheckConstraint(
                condition=Q(reason="ordered", order__isnull=False)
                | (~Q(reason="ordered") & Q(order__isnull=True)),
                name="shop_movement_order_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change:+} of stock {self.stock_id}"


class Review(Model):
    """What one customer thinks of one product; written by `apps.shop.ratings` alone."""

    # No index of its own: both below begin with it.
    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="reviews", db_index=False
    )
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews"
    )
    rating = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    text = models.TextField(max_length=2_000, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["product", "-created_at", "-id"], name="shop_review_newest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["product", "customer"], name="shop_review_once"),
            models.CheckConstraint(
                condition=Q(rating__range=(1, 5)), name="shop_review_one_to_five_stars"
            ),
        ]

    def __str__(self) -> str:
        return f"Review {self.pk}"


class ProductRating(Model):
    """A product's reviews, counted as they are written: no page counts 20,000 rows to show one sum.

    A row of its own, made by the first review. In the product's row, `product.save()` would write
    back the count it read, each review would lock what an edit of the product needs, and the stored
    average would have been added by rewriting a table in use.
    """

    product = models.OneToOneField(
        Product, on_delete=models.CASCADE, primary_key=True, related_name="rating"
    )
    # No CHECK: a count that drifted must not refuse a review; the nightly task mends it.
    review_count = models.IntegerField(default=0)
    rating_sum = models.BigIntegerField(default=0)
    average = models.GeneratedField(
        expression=Round(
            Cast("rating_sum", models.DecimalField(max_digits=20, decimal_places=2))
            / NullIf(F("review_count"), 0),
            precision=2,
        ),
        # Wider than 5.00, for the same reason.
        output_field=models.DecimalField(max_digits=20, decimal_places=2, null=True),
        db_persist=True,
    )

    def __str__(self) -> str:
        return f"Rating of product {self.product_id}"


# Images ------------------------------------------------------------------------------------------


class ProductImage(Model):
    """A picture of a product.

    What was uploaded is seen by nobody: the worker decodes it, keeps two copies that it drew itself
    and deletes the original, with whatever else that file was.
    """

    class State(models.TextChoices):
        """Pending until the worker has drawn it, or has refused to."""

        PENDING = "pending"
        READY = "ready"
        FAILED = "failed"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    failure = models.CharField(max_length=20, blank=True)
    original = models.FileField(upload_to="products/originals", blank=True)
    image = models.FileField(upload_to="products", blank=True)
    thumbnail = models.FileField(upload_to="products", blank=True)
    width = models.PositiveSmallIntegerField(null=True)
    height = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            # What the worker lost, oldest first; next to nothing is pending.
            models.Index(
                fields=["created_at"], name="shop_image_pending", condition=Q(state="pending")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state="ready",
                    width__isnull=False,
                    height__isnull=False,
                    failure="",
                    original="",
                )
                & ~Q(image="")
                & ~Q(thumbnail="")
                | Q(state="pending", failure="", image="", thumbnail="") & ~Q(original="")
                | Q(state="failed", original="", image="", thumbnail="") & ~Q(failure=""),
                name="shop_image_has_the_files_of_its_state",
            ),
        ]

    def __str__(self) -> str:
        return f"Image {self.pk} of product {self.product_id}"

    @property
    def files(self) -> list[str]:
        """The names of all it has in the store."""
        return [file.name for file in (self.original, self.image, self.thumbnail) if file.name]
