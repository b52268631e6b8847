"""Contract: drops the column note of Item, which the code does not know since release 1."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0002_safe")]

    operations = [
        # allow ban-drop-column: the last release does not know the field any more.
        migrations.RunSQL(
            "ALTER TABLE warehouse_item DROP COLUMN note",
            reverse_sql="ALTER TABLE warehouse_item ADD COLUMN note text NOT NULL DEFAULT ''",
        ),
    ]
