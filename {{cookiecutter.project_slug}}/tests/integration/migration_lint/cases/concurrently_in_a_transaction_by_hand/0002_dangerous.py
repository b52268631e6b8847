"""Expand: a case of the lint."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY item_weight ON warehouse_item (weight)",
            reverse_sql="DROP INDEX CONCURRENTLY item_weight",
        ),
    ]
