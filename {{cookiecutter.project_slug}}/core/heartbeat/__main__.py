"""The exec probe: 0 for a young heartbeat, 1 for an old or a missing one."""

import argparse
import sys

from core.heartbeat import age

parser = argparse.ArgumentParser(prog="python -m core.heartbeat")
parser.add_argument("role", help="worker, beat or relay")
parser.add_argument("--max-age", type=float, default=60, metavar="SECONDS")
options = parser.parse_args()

seconds = age(options.role)
if seconds is None or seconds > options.max_age:
    found = "none" if seconds is None else f"{seconds:.0f} s old"
    sys.exit(f"{options.role}: heartbeat is {found}, {options.max_age:.0f} s are allowed")
