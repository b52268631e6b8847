"""Expand: a case of the lint."""

from django.db import migrations, models
from django.db.models.functions import Random


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.AddField("item", "lot", models.FloatField(db_default=Random())),
    ]
