"""Expand: two tables in use: what a dangerous operation meets."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="Shelf",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("place", models.CharField(max_length=50)),
            ],
        ),
        migrations.CreateModel(
            name="Item",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("code", models.CharField(max_length=50)),
                ("note", models.TextField(default="")),
                ("weight", models.IntegerField(null=True)),
                ("received_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "indexes": [models.Index(fields=["code"], name="item_code")],
            },
        ),
    ]
