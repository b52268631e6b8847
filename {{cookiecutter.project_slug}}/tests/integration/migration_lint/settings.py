"""The settings of the tests, with the tiny app; MIGRATIONS names its package of migrations."""

import os

# config/env.py goes by the name of the settings, and this one would have production's demands.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"

from config.settings import test

globals().update({name: value for name, value in vars(test).items() if name.isupper()})
INSTALLED_APPS = [*test.INSTALLED_APPS, "tests.integration.migration_lint.warehouse"]
MIGRATION_MODULES = {"warehouse": os.environ["MIGRATIONS"]}
