"""Contract: renames in one step what the code of the last release still uses."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("drill_release", "0001_initial")]

    operations = [migrations.RenameField("item", "note", "remark")]
