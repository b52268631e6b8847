"""Everything that changes a stock: ordered locks, changes by F(), and the database's own CHECK.

Two transactions that lock the same rows in opposite orders wait for each other until PostgreSQL
ends one of them. Every function here locks the rows it needs by ascending primary key, so that of
two one is always ahead. Each change is a row of `StockMovement` in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Case, F, QuerySet, Value, When

from apps.shop.constraints import broken_constraint
from apps.shop.models import Location, Order, Product, Stock, StockMovement

# Pieces that a person may move or receive at once: enough for a lorry, and far from what a bigint
# holds, so that a slip of the finger is refused by a form and not by the database.
MAX_PIECES = 1_000_000


class OutOfStockError(Exception):
    """There are fewer pieces than asked for; `product_ids` says of which products."""

    def __init__(self, product_ids: set[int]) -> None:
        super().__init__(f"Out of stock: {sorted(product_ids)}")
        self.product_ids = product_ids


@transaction.atomic
def receive_stock(*, product: Product, location: Location, quantity: int) -> Stock:
    """Add `quantity` pieces that arrived at `location`. Raises `ValueError` unless 1 or more."""
    if quantity < 1:
        raise ValueError(f"quantity is {quantity}")
    _ensure(product, location)
    stock = _lock(Stock.objects.filter(product=product, location=location))[0]
    _apply({stock: quantity}, StockMovement.Reason.RECEIVED)
    stock.refresh_from_db(fields=["quantity"])
    return stock


def transfer_stock(
    *, product: Product, source: Location, target: Location, quantity: int
) -> dict[Location, int]:
    """Move `quantity` pieces from `source` to `target`; returns what lies at each now.

    Raises `OutOfStockError` when `source` has fewer, `ValueError` for less than 1 piece or one
    location twice.
    """
    if quantity < 1 or source == target:
        raise ValueError(f"{quantity} pieces from {source.pk} to {target.pk}")
    try:
        with transaction.atomic():
            return _transfer(product, source, target, quantity)
    except IntegrityError as error:
        # Asked of the database, not of a number read before: nothing can come between.
        if broken_constraint(error) == "shop_stock_not_negative":
            raise OutOfStockError({product.pk}) from None
        raise


@transaction.atomic
def take_stock(order: Order, quantities: Mapping[int, int]) -> None:
    """Take what `order` needs (product id to number), from the location that was set up first.

    Products without a row of stock are not counted. Call it last: the locks of a product that
    everybody orders are held to the end of the transaction. Raises `OutOfStockError`.
    """
    stocks = _lock(Stock.objects.filter(product_id__in=quantities))
    missing = {stock.product_id: quantities[stock.product_id] for stock in stocks}
    changes = {}
    for stock in stocks:
        if taken := min(stock.quantity, missing[stock.product_id]):
            changes[stock] = -taken
            missing[stock.product_id] -= taken
    if short := {product_id for product_id, pieces in missing.items() if pieces}:
        raise OutOfStockError(short)
    _apply(changes, StockMovement.Reason.ORDERED, order)


def _transfer(
    product: Product, source: Location, target: Location, quantity: int
) -> dict[Location, int]:
    _ensure(product, target)
    changes = {source.pk: -quantity, target.pk: quantity}
    both = Stock.objects.filter(product=product, location_id__in=changes)
    locked = _lock(both)
    if len(locked) < len(changes):  # the source never had a piece
        raise OutOfStockError({product.pk})
    _apply(
        {stock: changes[stock.location_id] for stock in locked}, StockMovement.Reason.TRANSFERRED
    )
    left = dict(both.values_list("location_id", "quantity"))
    return {location: left[location.pk] for location in (source, target)}


def _ensure(product: Product, location: Location) -> None:
    # Before any lock is taken: whoever inserts the same row at this moment is waited for.
    place = {"product": product, "location": location}
    if not Stock.objects.filter(**place).exists():
        Stock.objects.bulk_create([Stock(**place)], ignore_conflicts=True)


def _lock(rows: QuerySet[Stock]) -> list[Stock]:
    # no_key: a movement that refers to the row need not wait.
    return list(rows.select_for_update(no_key=True).order_by("pk"))


def _apply(
    changes: Mapping[Stock, int], reason: StockMovement.Reason, order: Order | None = None
) -> None:
    # One statement for all: others wait for these rows as long as it takes.
    by_row = (When(pk=stock.pk, then=Value(change)) for stock, change in changes.items())
    change_of_row = Case(*by_row, output_field=BigIntegerField())
    Stock.objects.filter(pk__in=[stock.pk for stock in changes]).update(
        quantity=F("quantity") + change_of_row
    )
    StockMovement.objects.bulk_create(
        StockMovement(stock=stock, change=change, reason=reason, order=order)
        for stock, change in changes.items()
    )
