"""Contract: gives it the name that the code uses since release 1."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.RenameModel("Shelf", "Rack"),
    ]
