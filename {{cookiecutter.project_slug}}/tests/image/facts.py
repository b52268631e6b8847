"""Runs in the image, as root and with its Python alone: what is in it, as JSON.

The planted secret comes in two halves: the command line itself must not hold it.
"""

import json
import os
import pwd
import sys
from pathlib import Path

SECRET = "".join(sys.argv[1:]).encode()
SKIPPED = {Path(name) for name in ("/proc", "/sys", "/dev", "/mnt", "/run")}
COMPILERS = {"as", "c++", "cargo", "cc", "clang", "g++", "gcc", "go", "ld", "make", "rustc"}


def files(top: str) -> list[Path]:
    found = []
    for folder, below, names in os.walk(top):
        below[:] = [name for name in below if Path(folder, name) not in SKIPPED]
        found += [Path(folder, name) for name in names]
    return found


everything = [path for path in files("/") if path.is_file() and not path.is_symlink()]
app = pwd.getpwnam("app")
caches = ("/root", "/var/lib/apt/lists", "/var/cache/apt", "/tmp", "/var/tmp")  # noqa: S108
print(
    json.dumps(
        {
            "compilers": [
                str(p) for p in everything if p.name in COMPILERS and os.access(p, os.X_OK)
            ],
            "headers": [str(p) for p in everything if p.name == "libpq-fe.h"],
            "caches": {top: sum(p.stat().st_size for p in files(top)) for top in caches},
            "wheels": [str(p) for p in everything if p.suffix == ".whl" and p.parts[1] != "usr"],
            "secrets": [str(p) for p in everything if SECRET in p.read_bytes()],
            "writable": [
                str(p)
                for top in ("/app", "/opt")
                for p in files(top)
                if p.exists() and (p.stat().st_uid == app.pw_uid or p.stat().st_mode & 0o002)
            ],
            "top": sorted(p.name for p in Path("/app").iterdir()),
            "packages": sorted(
                path.name.partition("-")[0].lower().replace("_", "-")
                for path in Path("/opt/venv").rglob("*.dist-info")
            ),
            "user": [app.pw_uid, app.pw_gid, app.pw_shell],
            "static": json.loads(Path("/app/staticfiles/staticfiles.json").read_text())["paths"],
            "version": json.loads(Path("/app/version.json").read_text()),
        }
    )
)
