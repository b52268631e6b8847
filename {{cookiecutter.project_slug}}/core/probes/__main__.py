"""Ask the management port of this machine: 0 when it answers 200, 1 with the reason when not.

    python -m core.probes 9464 /livez

For images, which have no curl. It imports no Django, so it costs a bare interpreter.
"""

import argparse
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

parser = argparse.ArgumentParser(prog="python -m core.probes")
parser.add_argument("port", type=int, help="METRICS_PORT")
parser.add_argument("path", help="/livez or /readyz")
options = parser.parse_args()

# Seconds; below the 3 that a container's probe is given, so that the reason is told.
connection = HTTPConnection("127.0.0.1", options.port, timeout=2)
try:
    connection.request("GET", options.path)
    response = connection.getresponse()
    if response.status != HTTPStatus.OK:
        sys.exit(f"{options.path}: {response.status} {response.read(200).decode().strip()}")
except (OSError, HTTPException) as error:
    sys.exit(f"{options.path}: {error}")
