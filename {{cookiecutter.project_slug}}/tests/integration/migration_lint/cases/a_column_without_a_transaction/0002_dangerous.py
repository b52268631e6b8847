"""Expand: a case of the lint."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.AddField("item", "colour", models.CharField(max_length=20, null=True)),
        AddIndexConcurrently("item", models.Index(fields=["colour"], name="item_colour")),
    ]
