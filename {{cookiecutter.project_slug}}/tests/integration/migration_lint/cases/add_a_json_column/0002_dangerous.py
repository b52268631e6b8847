"""Expand: a case of the lint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE warehouse_item ADD COLUMN labels json NULL",
            reverse_sql="ALTER TABLE warehouse_item DROP COLUMN labels",
            state_operations=[migrations.AddField("item", "labels", models.JSONField(null=True))],
        ),
    ]
