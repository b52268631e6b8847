"""What the page at `/` shows in development: a list of small tables, to which any app adds.

    class ReportsConfig(AppConfig):
        def ready(self) -> None:
            panels.register("Latest reports", latest_reports)

An app's panel goes with the app. A source runs in a thread of its own and has `LIMIT` seconds; what
it raises is shown in the place of its table, so that no panel takes the page down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.text import slugify

from apps.home.asking import ask_all

# Seconds for all panels together; they are asked side by side.
LIMIT = 1.4
# Characters of an error: two lines of a panel; drivers go on with advice.
LONGEST = 120

# What a state means; the template gives each a sign, so that the colour is not needed to read it.
UP, NOTE, WARNING, DOWN = "up", "note", "warning", "down"


@dataclass(frozen=True, slots=True)
class State:
    """A word about something, and whether that is good; `level` is one of the four above."""

    level: str
    word: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a smaller line below it, a link or a state."""

    text: str = ""
    note: str = ""
    url: str = ""
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`headings` name the columns; the first cell of a row names the row."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str = "Nothing yet."


Source = Callable[[], Table]


@dataclass(frozen=True, slots=True)
class Panel:
    """A title and the table that was found, or the `problem` that kept it away."""

    title: str
    table: Table | None = None
    problem: str = ""
    aside: bool = False

    @property
    def slug(self) -> str:
        """Its id in the page, by which a fresh one finds its place."""
        return slugify(self.title)

    @property
    def troubles(self) -> list[str]:
        """The names of its rows that need attention, or its own."""
        if self.table is None:
            return [self.title]
        return [row[0].text for row in self.table.rows if any(map(_is_trouble, row))]


def _is_trouble(cell: Cell) -> bool:
    return cell.state is not None and cell.state.level in (WARNING, DOWN)


_sources: dict[str, tuple[Source, bool]] = {}


def register(title: str, source: Source, *, aside: bool = False) -> None:
    """Add a panel, below those that are there; the same title again replaces its source.

    With `aside` it stands at the edge of a wide page, for what is looked up and not watched.
    """
    _sources[title] = source, aside


def collect() -> list[Panel]:
    """Every panel as it stands now, within LIMIT seconds."""
    asked = {f"panel {title}": source for title, (source, _) in _sources.items()}
    found = ask_all(asked, LIMIT)
    return [_panel(title, found[f"panel {title}"], aside) for title, (_, aside) in _sources.items()]


def _panel(title: str, found: Table | Exception, aside: bool) -> Panel:
    if isinstance(found, Exception):
        return Panel(title, problem=describe(found), aside=aside)
    return Panel(title, found, aside=aside)


def describe(error: Exception) -> str:
    """An error in one line, for the developer whose own machine says it."""
    lines = str(error).strip().splitlines()
    return lines[0][:LONGEST] if lines else type(error).__name__


def ago(seconds: float) -> str:
    """A time that has passed, in one unit, short enough for a phone."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit} ago"
    return f"{max(0.0, seconds):.0f} s ago"
