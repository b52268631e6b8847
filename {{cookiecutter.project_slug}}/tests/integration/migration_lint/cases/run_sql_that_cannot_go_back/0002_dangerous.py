"""Expand: a case of the lint."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RunSQL("UPDATE warehouse_item SET weight = 0 WHERE weight IS NULL"),
    ]
