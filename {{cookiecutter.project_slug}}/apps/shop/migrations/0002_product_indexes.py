"""Expand: the orders in which lists are asked for."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Outside of a transaction, and so without a lock that stops writers while it builds.
    atomic = False

    dependencies = [
        ("shop", "0001_initial"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="product",
            index=models.Index(fields=["price_cents", "id"], name="shop_product_price"),
        ),
        AddIndexConcurrently(
            model_name="product",
            index=models.Index(
                fields=["name"], name="shop_product_name_prefix", opclasses=["varchar_pattern_ops"]
            ),
        ),
    ]
