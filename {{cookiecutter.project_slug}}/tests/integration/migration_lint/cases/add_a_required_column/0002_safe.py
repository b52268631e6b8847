"""Expand: a case of the lint."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.AddField("item", "colour", models.CharField(max_length=20, db_default="grey")),
        migrations.AddField("item", "seen_at", models.DateTimeField(db_default=Now())),
        migrations.AddField("item", "labels", models.JSONField(null=True)),
    ]
