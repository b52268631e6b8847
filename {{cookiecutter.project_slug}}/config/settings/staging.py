"""Staging: production with other variables. A difference written here would go untested."""

from config.settings.production import *
