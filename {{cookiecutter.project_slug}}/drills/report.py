"""What a drill found, against what must hold: one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

# What holds in every drill unless it says otherwise: nothing lost, nothing done twice, the process
# never called dead, and no failure once the fault is over.
ALWAYS: Mapping[str, float] = {
    "failed_after_heal": 0,
    "livez_fail": 0,
    "lost": 0,
    "dup": 0,
    "unmigrated": 0,
}


class Story(Protocol):
    """What the file of a drill says, besides `run`."""

    INJECTED: str
    # What the control runs instead, and which figure that must break.
    NAIVE: str
    BITES: str
    BOUNDS: Mapping[str, float]


@dataclass(frozen=True)
class Figures:
    """The line of one drill.

    `median_ms` is that of the requests begun during the fault; `recovery_s` runs from the heal to
    the last failure, or the last effect of an order that was written before it; `readyz_flip_s`
    from the fault to the first "not ready". Null where there was none. `unmigrated` counts what a
    migration should have left otherwise, in drills that migrate.
    """

    drill: str
    requests: int
    failed: int
    failed_after_heal: int
    recovery_s: float
    median_ms: int | None
    worst_ms: int
    livez_fail: int
    readyz_flip_s: float | None
    lost: int
    dup: int
    unmigrated: int = 0
    # Orders whose answer was lost, sent again with their key.
    resent: int = 0

    def broken(self, bounds: Mapping[str, float]) -> list[str]:
        """Which figures are above their bounds."""
        limits = {**ALWAYS, **bounds}
        return [name for name, most in limits.items() if (getattr(self, name) or 0) > most]

    def line(self, *, passed: bool) -> str:
        return json.dumps({**asdict(self), "passed": passed})

    def told(self, bounds: Mapping[str, float]) -> str:
        """For people: "37 lost (bound 0), 12 failed (bound 0)"."""
        limits = {**ALWAYS, **bounds}
        return ", ".join(
            f"{getattr(self, name)} {name} (bound {limits[name]:g})" for name in self.broken(bounds)
        )


def verdict(story: Story, figures: Figures, *, is_control: bool) -> tuple[bool, str]:
    """Whether the run is as it must be, and the sentence for people.

    Ours keeps every bound. A control must break the one that the drill is about: a fault that the
    naive configuration survives proves nothing of ours.
    """
    told = figures.told(story.BOUNDS)
    if not is_control:
        return not told, f"{figures.drill}: {told or 'every bound holds'}"
    if story.BITES in figures.broken(story.BOUNDS):
        return True, f"{figures.drill} control ({story.NAIVE}): {told}, as expected"
    return False, (
        f"{figures.drill} control ({story.NAIVE}): {story.BITES} is within its bound; "
        "the drill does not bite."
    )


HEADER = """\
| Drill | Injected | Naive configuration | Ours | Command |
|---|---|---|---|---|"""


def row(number: str, story: Story, naive: Figures, ours: Figures) -> str:
    """One line of the table below `HEADER`: what broke in the naive run, and what ours did."""
    broke = f"{story.NAIVE}: {naive.told(story.BOUNDS)}"
    held = (
        f"{ours.failed} of {ours.requests} failed, {ours.failed_after_heal} after the heal; "
        f"{ours.lost} lost, {ours.dup} twice; recovered in {ours.recovery_s:g} s, "
        f"worst answer {ours.worst_ms} ms"
    )
    return f"| D-{number} | {story.INJECTED} | {broke} | {held} | `make drills D={number}` |"
