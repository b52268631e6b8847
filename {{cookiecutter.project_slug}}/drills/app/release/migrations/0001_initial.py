"""Expand: the table, as the code of the last release knows it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            "Item",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("request_id", models.UUIDField()),
                ("note", models.TextField()),
            ],
            {"db_table": "drill_item"},
        ),
    ]
