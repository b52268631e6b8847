"""Write Dockerflow's version object: which source an image was built from, and by which build.

    SOURCE=… VERSION=… COMMIT=… BUILD=… python -m scripts.version_file /app/version.json

`/__version__` answers what the file holds. A word that was not given is empty.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

FIELDS = ("source", "version", "commit", "build")


def main() -> int:
    document = {field: os.environ.get(field.upper(), "") for field in FIELDS}
    Path(sys.argv[1]).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
