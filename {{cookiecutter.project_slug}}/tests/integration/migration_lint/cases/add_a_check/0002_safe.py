"""Expand: a case of the lint."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        AddConstraintNotValid(
            "item",
            models.CheckConstraint(condition=models.Q(weight__gte=0), name="item_weight_positive"),
        ),
    ]
