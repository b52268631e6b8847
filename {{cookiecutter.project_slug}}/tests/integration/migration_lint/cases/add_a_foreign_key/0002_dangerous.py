"""Expand: a case of the lint."""

from django.db import migrations, models
from django.db.models import deletion


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.AddField(
            "item", "shelf", models.ForeignKey("warehouse.shelf", deletion.PROTECT, null=True)
        ),
    ]
