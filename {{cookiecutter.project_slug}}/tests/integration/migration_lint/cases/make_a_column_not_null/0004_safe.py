"""Expand: a case of the lint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0003_safe")]

    operations = [
        migrations.AlterField("item", "weight", models.IntegerField()),
        migrations.RemoveConstraint("item", "item_weight_known"),
    ]
