"""Expand: a case of the lint."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0002_safe")]

    operations = [
        ValidateConstraint("item", "item_weight_known"),
    ]
