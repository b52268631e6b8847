"""Expand: a case of the lint."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        AddIndexConcurrently("item", models.Index(fields=["weight"], name="item_weight")),
    ]
