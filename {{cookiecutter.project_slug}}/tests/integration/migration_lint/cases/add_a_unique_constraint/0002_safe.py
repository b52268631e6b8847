"""Expand: a case of the lint."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE UNIQUE INDEX CONCURRENTLY item_code_once ON warehouse_item (code)",
            reverse_sql="DROP INDEX CONCURRENTLY IF EXISTS item_code_once",
        ),
    ]
