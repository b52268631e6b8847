"""Expand: a case of the lint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.AlterField(
            "item",
            "code",
            models.CharField(max_length=50, choices=[("a", "A"), ("b", "B")]),
        ),
    ]
