"""A masked copy of production: `manage.py anonymise`, by what `core.privacy` knows of columns."""
