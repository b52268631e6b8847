"""Expand: a case of the lint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("item", "code", "sku"),
                migrations.AlterField(
                    "item", "sku", models.CharField(max_length=50, db_column="code")
                ),
            ],
        ),
    ]
