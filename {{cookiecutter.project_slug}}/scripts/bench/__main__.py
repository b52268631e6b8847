"""`make bench`: what each entry of MIDDLEWARE adds to a request.

    python -m scripts.with_servers -- python -m scripts.bench [--quick] [--with dotted.path ...]

Runs under the settings of production, in process: no socket, no gunicorn. `--with` measures a
middleware that is not in the list, at its end. Log lines are written, to /dev/null.
"""

from __future__ import annotations

import argparse
import gc
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scripts.bench.cost import Cost

# What production demands beside the servers; nothing here is connected to.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SERVICE_NAME": "service",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "ALLOWED_HOSTS": "service.test",
    "ADMIN_HOST": "admin.service.test",
    "FORWARDED_ALLOW_IPS": "127.0.0.1",
    "EMAIL_URL": "smtp+tls://user:password@127.0.0.1:25",
    "DEFAULT_FROM_EMAIL": "service@service.test",
    "S3_BUCKET": "service-media",
    "S3_ENDPOINT_URL": "https://127.0.0.1",
}
VIEWS = {"static JSON": "/static-json/", "one query": "/one-query/"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--with", action="append", default=[], dest="others", metavar="PATH")
    options = parser.parse_args()
    os.environ.update(PRODUCTION)

    import django

    django.setup()
    from django.conf import settings

    from scripts.bench import cost

    settings.ROOT_URLCONF = "scripts.bench.views"
    middleware = [*settings.MIDDLEWARE, *options.others]
    effort = cost.Effort(12, 25) if options.quick else cost.Effort(40, 50)

    print(
        f"CPU per request in µs: the median of {effort.rounds} rounds (their quartiles), each of\n"
        f"{effort.requests} requests with and {effort.requests} without, in turns. Garbage is "
        "collected between the rounds.\n"
    )
    print(f"{'':56}" + "".join(f"  {name:>24}" for name in VIEWS))
    gc.freeze()  # what was imported, as gunicorn's master does
    with silent_logs():
        stacks = [cost.stack(middleware[:length]) for length in range(len(middleware) + 1)]
    for name, without, with_it in zip(middleware, stacks, stacks[1:], strict=False):
        with silent_logs():
            pairs = [cost.compare(path, without, with_it, effort) for path in VIEWS.values()]
        row(name, [added for _, added in pairs])
    with silent_logs():
        pairs = [cost.compare(path, stacks[0], stacks[-1], effort) for path in VIEWS.values()]
    row("all of them", [added for _, added in pairs])
    row("a request without any", [without for without, _ in pairs])
    return 0


def row(name: str, costs: list[Cost]) -> None:
    cells = (f"{each.median:.1f} ({each.low:.1f} to {each.high:.1f})" for each in costs)
    print(f"{name:56}" + "".join(f"  {cell:>24}" for cell in cells), flush=True)


@contextmanager
def silent_logs() -> Iterator[None]:
    """Send what the service writes to stdout to /dev/null; formatting and writing still cost."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
