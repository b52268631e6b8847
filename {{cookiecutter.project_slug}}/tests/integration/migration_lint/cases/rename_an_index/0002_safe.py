"""Expand: a case of the lint."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RenameIndex("item", new_name="item_code_renamed", old_name="item_code"),
    ]
