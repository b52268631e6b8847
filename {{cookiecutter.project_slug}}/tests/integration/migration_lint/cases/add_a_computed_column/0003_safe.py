"""Expand: a case of the lint."""

from django.db import migrations, models
from django.db.models.functions import Random


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0002_safe")]

    operations = [
        migrations.AlterField("item", "lot", models.FloatField(null=True, db_default=Random())),
    ]
