"""Contract: drops the table of Shelf, which the code does not know since release 1."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.DeleteModel("shelf"),
    ]
