"""Expand: a case of the lint."""

from django.db import migrations


def fill(apps, schema_editor):
    from apps.users.models import User

    items = apps.get_model("warehouse", "Item").objects.using(schema_editor.connection.alias)
    items.update(note=User.USERNAME_FIELD)


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
