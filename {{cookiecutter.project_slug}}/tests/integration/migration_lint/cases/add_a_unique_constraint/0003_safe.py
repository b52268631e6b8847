"""Expand: a case of the lint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0002_safe")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE warehouse_item ADD CONSTRAINT item_code_once "
                    "UNIQUE USING INDEX item_code_once",
                    reverse_sql="ALTER TABLE warehouse_item DROP CONSTRAINT item_code_once",
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    "item", models.UniqueConstraint(fields=["code"], name="item_code_once")
                ),
            ],
        ),
    ]
