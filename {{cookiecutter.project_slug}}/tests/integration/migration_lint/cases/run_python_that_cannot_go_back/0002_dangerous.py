"""Expand: a case of the lint."""

from django.db import migrations


def fill(apps, schema_editor):
    items = apps.get_model("warehouse", "Item").objects.using(schema_editor.connection.alias)
    items.filter(weight=None).update(weight=0)


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RunPython(fill),
    ]
