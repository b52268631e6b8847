"""Expand: a case of the lint."""

from django.db import migrations, models
from django.db.models import deletion


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0003_safe")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE warehouse_item ADD CONSTRAINT item_shelf_fk "
                    "FOREIGN KEY (shelf_id) REFERENCES warehouse_shelf (id) "
                    "DEFERRABLE INITIALLY DEFERRED NOT VALID",
                    reverse_sql="ALTER TABLE warehouse_item DROP CONSTRAINT item_shelf_fk",
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    "item",
                    "shelf",
                    models.ForeignKey(
                        "warehouse.shelf", deletion.PROTECT, null=True, db_index=False
                    ),
                ),
            ],
        ),
    ]
