"""Every page of the template and of the service names only what exists."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import bake
import pytest
from conftest import ROOT, SERVICE
from markdown_it import MarkdownIt

TRACKED = bake.listed()
PAGES = [path for path in TRACKED if path.endswith(".md")]
DECISIONS = "docs/decisions"
INDEX = f"{DECISIONS}/README.md"
CHOICES = [p for p in PAGES if p.startswith(f"{DECISIONS}/") and p != INDEX]
FILE_NAME = re.compile(r"[\w-]+\.(md|py|sh|toml|ini|sql|json|ya?ml|conf|html)")
HEADINGS = ["Choice", "Evidence", "Cost", "Choose otherwise when"]

# What a run makes, and what an owner adds.
MADE = ("build", ".data", ".venv", ".env", "uv.lock", "staticfiles", "LICENSE", "justfile")
# Names that look like ours and belong to somebody else, or to a page's own example.
FOREIGN_PATHS = {"apps/orders", "application/json", "404.html", "locale/de/LC_MESSAGES/django.po"}
FOREIGN_NAMES = {
    "CI",
    "LC_MESSAGES",
    "NAME_FILE",
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY",
    "REMAP_SIGTERM",
    "RLIMIT_AS",
    "UV_EXCLUDE_NEWER",
}


@dataclass(frozen=True)
class Page:
    """A page's links, headings and code, as a reader of Markdown sees them."""

    path: str
    links: list[str]
    headings: list[tuple[str, str]]
    spans: list[str]
    blocks: list[str]

    @property
    def folders(self) -> list[Path]:
        """Where its paths may begin: a generated service has nothing of the template beside it."""
        return [SERVICE] if self.path.startswith(bake.SERVICE) else [ROOT, SERVICE]


def page_of(path: str, text: str) -> Page:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inner = [child for token in tokens for child in token.children or []]
    return Page(
        path,
        links=[str(child.attrs["href"]) for child in inner if child.type == "link_open"],
        headings=[
            (token.tag, tokens[at + 1].content)
            for at, token in enumerate(tokens)
            if token.type == "heading_open"
        ],
        spans=[child.content for child in inner if child.type == "code_inline"],
        blocks=[token.content for token in tokens if token.type == "fence"],
    )


@cache
def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def exists(path: str, folders: list[Path]) -> bool:
    """Whether git would show it, in a folder of the page: leftovers of a run do not count."""
    for folder in folders:
        whole = (folder / path).resolve()
        if not whole.is_relative_to(folder):
            continue
        name = whole.relative_to(ROOT).as_posix()
        if any(one == name or one.startswith(f"{name}/") for one in TRACKED):
            return True
    return False


def anchors(text: str) -> set[str]:
    """As GitHub makes them."""
    titles = [title.lower() for _, title in page_of("", text).headings]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def broken_links(page: Page) -> Iterator[str]:
    for link in page.links:
        if link.startswith(("https://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        whole = (ROOT / page.path).parent / target if target else ROOT / page.path
        whole = whole.resolve()
        top = page.folders[0]
        there = whole.is_relative_to(top) and exists(str(whole.relative_to(top)), [top])
        if not there or (anchor and anchor not in anchors(whole.read_text(encoding="utf-8"))):
            yield link


def missing_paths(page: Page) -> Iterator[str]:
    tops = {path.name for folder in page.folders for path in folder.iterdir()}
    names = {PurePosixPath(path).name for path in TRACKED}
    for span in page.spans:
        for word in span.split():
            first = word.partition("/")[0]
            if word in FOREIGN_PATHS or first in MADE:
                continue
            if re.fullmatch(r"[\w.][\w.-]*/[\w./-]*", word):
                # A command's arguments may be anything; what begins like a path of ours is one.
                if (word == span or first in tops) and not exists(word, page.folders):
                    yield word
            elif FILE_NAME.fullmatch(word) and word not in names:
                yield word


def targets(folders: list[Path]) -> set[str]:
    texts = [(folder / "Makefile").read_text(encoding="utf-8") for folder in folders]
    return {name for text in texts for name in re.findall(r"^([a-z][a-z-]*):.*## ", text, re.M)}


def missing_targets(page: Page) -> Iterator[str]:
    known = targets(page.folders)
    for code in (*page.spans, *page.blocks):
        called = re.findall(r"(?:^|\$ |&& |; )make (?:[A-Z_]+=\S* )*([a-z][a-z-]*)", code, re.M)
        yield from (name for name in called if name not in known)


@cache
def variables() -> set[str]:
    """Every variable of config/env.py; a secret has a NAME_FILE, too."""
    tree = ast.parse((SERVICE / "config/env.py").read_text(encoding="utf-8"))
    fields = [node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)]
    found: set[str] = set()
    for field in fields:
        if isinstance(field.target, ast.Name) and isinstance(field.value, ast.Call):
            found.add(field.target.id)
            # No secret is written `secret=False`.
            if any(word.arg == "secret" for word in field.value.keywords):
                found.add(f"{field.target.id}_FILE")
    return found


@cache
def names_of_code() -> set[str]:
    """Settings and constants, as the service's Python writes them, and the makefiles' variables."""
    found: set[str] = set()
    for folder in ("config", "core", "apps"):
        for path in (SERVICE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Name(id=name) | ast.Attribute(attr=name):
                        found.add(name)
                    case ast.Constant(value=str(name)):
                        found.add(name)
    for place in (ROOT, SERVICE):
        text = (place / "Makefile").read_text(encoding="utf-8")
        found |= set(re.findall(r"^([A-Z_]+) *[?:]?=", text, re.M))
        found |= set(re.findall(r"\$\(([A-Z]+)\)", text))
    return found


def unknown_names(page: Page) -> Iterator[str]:
    ours = variables() | names_of_code() | FOREIGN_NAMES
    for span in page.spans:
        named = re.findall(r"(?<![\w$])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w-])", span)
        given = re.findall(r"(?<!\S)([A-Z][A-Z0-9_]*)=", span)
        yield from (name for name in {*named, *given} if name not in ours)


CHECKS: dict[str, Callable[[Page], Iterator[str]]] = {
    "links": broken_links,
    "paths": missing_paths,
    "make targets": missing_targets,
    "variables and settings": unknown_names,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_pages_name_only_what_exists(check: Callable[[Page], Iterator[str]]) -> None:
    assert len(PAGES) > 40
    found = {path: list(check(page_of(path, text_of(path)))) for path in PAGES}
    assert {path: problems for path, problems in found.items() if problems} == {}


@pytest.mark.parametrize(
    ("check", "text", "problem"),
    [
        ("links", "[x](nowhere.md)", "nowhere.md"),
        ("links", "[x](../README.md#no-such-heading)", "../README.md#no-such-heading"),
        ("links", "[x](../../../outside.md)", "../../../outside.md"),
        ("links", "[x](http://example.org)", "http://example.org"),
        ("paths", "`core/nothing/`", "core/nothing/"),
        ("paths", "`cores/cache/`", "cores/cache/"),
        ("paths", "`pytest -s tests/server/nothing`", "tests/server/nothing"),
        ("paths", "`nothing.toml`", "nothing.toml"),
        ("make targets", "`make nothing`", "nothing"),
        ("make targets", "```sh\nmake T=x nothing\n```", "nothing"),
        ("variables and settings", "`DATABASE_URI`", "DATABASE_URI"),
        ("variables and settings", "`LOG_LEVEL_FILE`", "LOG_LEVEL_FILE"),
        ("variables and settings", "`PRT=80 make run`", "PRT"),
    ],
)
def test_each_kind_of_mistake_is_found(check: str, text: str, problem: str) -> None:
    assert list(CHECKS[check](page_of("docs/page.md", text))) == [problem]


def test_a_page_of_the_service_cannot_lean_on_the_template() -> None:
    page = page_of(f"{bake.SERVICE}/docs/page.md", "`hooks/` `make demo` [x](../../README.md)")
    assert list(missing_paths(page)) == ["hooks/"]
    assert list(missing_targets(page)) == ["demo"]
    assert list(broken_links(page)) == ["../../README.md"]


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", text, flags=re.M)
    return {title: body.strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("path", CHOICES, ids=[PurePosixPath(path).stem for path in CHOICES])
def test_a_decision_is_read_in_two_minutes_and_has_four_parts(path: str) -> None:
    text = text_of(path)
    assert len(text.splitlines()) <= 60
    headings = page_of(path, text).headings
    assert [tag for tag, _ in headings] == ["h1", *["h2"] * len(HEADINGS)]
    assert list(sections(text)) == HEADINGS
    assert all(sections(text).values())


@pytest.mark.parametrize("path", CHOICES, ids=[PurePosixPath(path).stem for path in CHOICES])
def test_evidence_names_what_shows_it_or_says_that_nothing_does(path: str) -> None:
    points = re.split(r"^- ", sections(text_of(path))["Evidence"], flags=re.M)
    assert points[0] == ""
    for point in points[1:]:
        page = page_of(path, point)
        shown = [span for span in page.spans if "/" in span or span.startswith("make ")]
        words = " ".join(point.split())
        told = "no command here repeats it" in words or "not measured" in words
        elsewhere = page.links or re.search(r"[\w-]+/[\w-]+#\d+|the same file", point)
        assert shown or told or elsewhere, point


def test_the_wheels_of_the_platforms_page_are_those_that_are_pinned() -> None:
    rows = re.findall(r"^\| ([a-z-]+) (\d[\w.]+) \|", text_of("docs/platforms.md"), re.M)
    assert len(rows) == 4
    text = (SERVICE / "pyproject.toml").read_text(encoding="utf-8")
    pins = text.replace("[binary,pool]", "-binary")
    # A newer version may have other wheels: look again before the number is raised.
    assert [row for row in rows if f'"{row[0]}=={row[1]}"' not in pins] == []


def test_the_index_names_every_decision_once() -> None:
    links = [link for link in page_of(INDEX, text_of(INDEX)).links if "/" not in link]
    assert sorted(links) == sorted(PurePosixPath(path).name for path in CHOICES)
