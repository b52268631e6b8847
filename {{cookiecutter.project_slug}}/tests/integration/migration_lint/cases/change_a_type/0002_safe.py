"""Expand: a case of the lint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.AlterField("item", "code", models.CharField(max_length=80)),
        migrations.AlterField("shelf", "place", models.TextField()),
    ]
