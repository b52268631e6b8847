"""Expand: a case of the lint."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE warehouse_item ADD COLUMN colour varchar(20) NOT NULL",
            reverse_sql="ALTER TABLE warehouse_item DROP COLUMN colour",
        ),
    ]
