"""Expand: an index, built while the table is in use."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("drill_release", "0002_expand")]

    operations = [
        AddIndexConcurrently("item", models.Index(fields=["request_id"], name="drill_item_request"))
    ]
