"""Expand: a case of the lint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.AddField(
            "item",
            "grams",
            models.GeneratedField(
                expression=models.F("weight") * 1000,
                output_field=models.IntegerField(),
                db_persist=True,
            ),
        ),
    ]
