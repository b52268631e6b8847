"""Expand: a column that new code writes; new code does not know note, which stays for old code."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("drill_release", "0001_initial")]

    operations = [
        migrations.AddField("item", "remark", models.TextField(db_default="")),
        migrations.AlterField("item", "note", models.TextField(db_default="")),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("item", "note")],
        ),
    ]
