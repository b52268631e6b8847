"""Expand: a case of the lint."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("warehouse", "0002_safe")]

    operations = [
        AddIndexConcurrently("item", models.Index(fields=["shelf"], name="item_shelf")),
    ]
