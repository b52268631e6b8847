"""Typed, strict configuration from environment variables.

A project declares one dataclass whose fields are made by `variable()`; `read()` turns a mapping
into an instance or raises `InvalidEnvironmentError` with every problem at once. Nothing here
touches the process: the caller passes the mapping and decides what a failure means.

Weighed: django-environ 0.14 reads `bool("maybe")` as False, an empty URL as `{}`, resolves a value
that starts with `$`, and stops at the first missing name; pydantic-settings prints values in its
errors by default and adds a compiled dependency to every process. Neither ties a variable to the
environments that require it, which the one-message report and the generated documents need.

To lift it out: copy this folder and write a `config/env.py` of your own beside your settings.
"""

from core.environment.reader import InvalidEnvironmentError, read
from core.environment.variables import Variable, declared, variable

__all__ = ["InvalidEnvironmentError", "Variable", "declared", "read", "variable"]
