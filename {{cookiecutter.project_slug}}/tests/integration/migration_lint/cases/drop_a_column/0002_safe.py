"""Expand: a case of the lint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.AlterField("item", "note", models.TextField(db_default="")),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("item", "note")],
        ),
    ]
