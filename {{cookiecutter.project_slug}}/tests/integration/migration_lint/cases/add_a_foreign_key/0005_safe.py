"""Expand: a case of the lint."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0004_safe")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE warehouse_item VALIDATE CONSTRAINT item_shelf_fk",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
