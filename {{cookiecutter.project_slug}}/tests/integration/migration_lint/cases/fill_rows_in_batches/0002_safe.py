"""Expand: a case of the lint."""

from django.db import migrations

BATCH = 1000


def fill(apps, schema_editor):
    items = apps.get_model("warehouse", "Item").objects.using(schema_editor.connection.alias)
    while batch := list(items.filter(weight=None).values_list("pk", flat=True)[:BATCH]):
        items.filter(pk__in=batch).update(weight=0)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
