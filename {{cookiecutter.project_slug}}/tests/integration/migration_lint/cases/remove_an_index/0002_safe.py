"""Expand: a case of the lint."""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        RemoveIndexConcurrently("item", "item_code"),
    ]
