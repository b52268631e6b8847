"""Expand: a case of the lint."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Shelf", "Rack"),
                migrations.AlterModelTable("rack", "warehouse_shelf"),
            ],
        ),
    ]
