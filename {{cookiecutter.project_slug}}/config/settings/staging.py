"""Staging: production with other variables, and one constant: search engines stay out.

Any other difference written here would go untested.
"""

from config.settings.production import *

INDEXED = False
