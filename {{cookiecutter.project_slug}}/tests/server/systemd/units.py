"""The unit files, read as systemd reads them: later lines win, lists grow, drop-ins come last."""

from __future__ import annotations

import re
from pathlib import Path

UNITS = Path(__file__).resolve().parents[3] / "deploy" / "systemd"
type Settings = dict[str, list[str]]


def names() -> list[str]:
    """Every service, a template with an instance."""
    files = sorted(path.name for path in UNITS.glob("*.service"))
    return [name.replace("@.", "@high.") for name in files]


def text_of(unit: str) -> str:
    """The unit's file and the drop-ins that its prefix gets; specifiers replaced."""
    prefix, _, rest = unit.partition("@")
    instance = rest.removesuffix(".service")
    file = UNITS / (f"{prefix}@.service" if rest else unit)
    drop_ins = sorted((UNITS / "service-.service.d").glob("*.conf"))
    text = "\n".join(path.read_text() for path in (file, *drop_ins))
    return text.replace("%i", instance).replace("%N", unit.removesuffix(".service"))


def settings(text: str) -> Settings:
    """What each setting is given, in the order of the lines."""
    found: Settings = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.M):
        found.setdefault(name, []).append(value)
    return found
