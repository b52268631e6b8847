"""Reviews and their count: changed together, and compared at night.

The count and the sum are kept by `F()` in the transaction that writes the review. What changes
reviews past this module (SQL by hand, a restored table) makes them drift, and `mend_ratings` finds
that. Weighed: a trigger sees every writer, and is one more place where the rule stands, in another
language; COUNT(*) on read costs more with every review.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Sum

from apps.shop.constraints import broken_constraint
from apps.shop.models import Product, ProductRating, Review
from apps.users.models import User

# Products of one comparison. Its GROUP BY reads all their reviews: with 1,000 each it took 0.12 s
# on two cores, and the role's statement_timeout is 5 s.
BATCH = 500

Tally = tuple[int, int]  # number of reviews and the sum of their stars
NONE: Tally = (0, 0)


class AlreadyReviewedError(Exception):
    """The customer has reviewed this product before."""


def write_review(*, product: Product, customer: User, rating: int, text: str = "") -> Review:
    """Add the customer's review and count it. Raises `AlreadyReviewedError`."""
    try:
        with transaction.atomic():
            review = Review.objects.create(
                product=product, customer=customer, rating=rating, text=text
            )
            _add(product.pk, 1, rating)  # last: the next review of the product waits for this row
    except IntegrityError as error:
        if broken_constraint(error) == "shop_review_once":
            raise AlreadyReviewedError from None
        raise
    return review


@transaction.atomic
def delete_review(review_id: int) -> None:
    """Remove a review and count it no longer; one that is gone is fine."""
    review = Review.objects.select_for_update().filter(pk=review_id).first()
    if review is not None:
        review.delete()
        _add(review.product_id, -1, -review.rating)


def mend_ratings(batch: int = BATCH) -> tuple[int, int]:
    """Compare every product's count with its reviews. Returns how many were compared and mended.

    Looks without a lock, by ranges of the primary key; what looks wrong is counted again under the
    lock of that one row, so a review in flight is neither lost nor counted twice.
    """
    compared = mended = 0
    for product_ids in _ranges(batch):
        compared += len(product_ids)
        counted, found = _counted(product_ids), _found(product_ids)
        for product_id in product_ids:
            if counted.get(product_id, NONE) != found.get(product_id, NONE):
                mended += _mend(product_id)
    return compared, mended


@transaction.atomic
def _mend(product_id: int) -> bool:
    """Count one product again; whether that changed anything.

    Lock first, count in a statement after it: every writer adds to this row at its end, so what is
    committed by now is seen, and what is not will be added to what is written here.
    """
    if not Product.objects.filter(pk=product_id).exists():
        return False
    locked = ProductRating.objects.select_for_update().filter(pk=product_id)
    row = locked.first()
    if row is None:
        _insert(product_id)
        row = locked.get()
    count, stars = _found([product_id]).get(product_id, NONE)
    if (row.review_count, row.rating_sum) == (count, stars):
        return False
    row.review_count, row.rating_sum = count, stars
    row.save(update_fields=["review_count", "rating_sum"])
    return True


def _add(product_id: int, reviews: int, stars: int) -> None:
    row = ProductRating.objects.filter(pk=product_id)
    sums = {"review_count": F("review_count") + reviews, "rating_sum": F("rating_sum") + stars}
    if not row.update(**sums):
        _insert(product_id)
        row.update(**sums)


def _insert(product_id: int) -> None:
    # Of two first reviews the second waits here for the first one's commit.
    ProductRating.objects.bulk_create([ProductRating(product_id=product_id)], ignore_conflicts=True)


def _ranges(batch: int) -> Iterator[list[int]]:
    """Every product's id, `batch` at a time, each range by the index from where the last ended."""
    last = 0
    ids = Product.objects.order_by("pk").values_list("pk", flat=True)
    while found := list(ids.filter(pk__gt=last)[:batch]):
        yield found
        last = found[-1]


def _counted(product_ids: list[int]) -> dict[int, Tally]:
    rows = ProductRating.objects.filter(pk__in=product_ids)
    return _tallies(rows.values_list("pk", "review_count", "rating_sum"))


def _found(product_ids: list[int]) -> dict[int, Tally]:
    reviews = Review.objects.filter(product_id__in=product_ids).order_by().values("product_id")
    totals = reviews.annotate(count=Count("*"), stars=Sum("rating"))
    return _tallies(totals.values_list("product_id", "count", "stars"))


def _tallies(rows: Iterable[tuple[int, int, int]]) -> dict[int, Tally]:
    return {key: (count, stars) for key, count, stars in rows}
