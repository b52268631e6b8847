"""Expand: a case of the lint."""

from django.db import migrations, models

BATCH = 1000


def copy(apps, schema_editor):
    items = apps.get_model("warehouse", "Item").objects.using(schema_editor.connection.alias)
    left = items.filter(grams=None).exclude(weight=None)
    while batch := list(left.values_list("pk", flat=True)[:BATCH]):
        items.filter(pk__in=batch).update(grams=models.F("weight"))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("warehouse", "0002_safe")]

    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
    ]
