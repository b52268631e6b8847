"""What stands in the file of a migration: where its operations are, its comments, its imports."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from dataclasses import dataclass
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path

from django.db.migrations import Migration
from django.db.models.base import ModelBase

PHASE = re.compile(r"(Expand|Contract): *\S")
ALLOWANCE = re.compile(r"#\s*allow ([a-z]+(?:-[a-z]+)*)\s*(?::\s*(.*))?")


@dataclass(frozen=True)
class Allowance:
    """`operation` is the one that the comment stands in or directly above; None: the whole file."""

    rule: str
    reason: str
    line: int
    operation: int | None

    def covers(self, rule: str, operation: int | None) -> bool:
        return self.rule == rule and self.operation in (None, operation)


class Source:
    """The file of a migration."""

    def __init__(self, migration: Migration) -> None:
        module = sys.modules[type(migration).__module__]
        self.path = path = Path(str(module.__file__))
        self._package = str(module.__package__)
        text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(text)
        self._spans = _spans(self.tree, len(migration.operations))
        self.allowances = [
            Allowance(found[1], (found[2] or "").strip(), token.start[0], self._at(token.start[0]))
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type == tokenize.COMMENT and (found := ALLOWANCE.fullmatch(token.string))
        ]

    @property
    def phase(self) -> str | None:
        """Expand or Contract, as the docstring says; a contract names the release it waits for."""
        text = ast.get_docstring(self.tree) or ""
        found = PHASE.match(text)
        if not found or (found[1] == "Contract" and "release" not in text):
            return None
        return found[1]

    def line(self, operation: int | None) -> int:
        """Where `operation` begins; 1 where the file does not list its operations one by one."""
        if operation is None or not self._spans:
            return 1
        return self._spans[operation][1]

    def _at(self, line: int) -> int | None:
        for number, (above, _, end) in enumerate(self._spans):
            if above < line <= end:
                return number
        return None

    def imported_models(self) -> list[tuple[int, str]]:
        """(line, name) of each model that the file takes from its module."""
        bound: dict[str, str] = {}
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                bound |= {each.asname: each.name for each in node.names if each.asname}
            elif isinstance(node, ast.ImportFrom):
                module = resolve_name("." * node.level + (node.module or ""), self._package)
                names = {each.asname or each.name: f"{module}.{each.name}" for each in node.names}
                bound |= names
                found += [(node.lineno, name) for name in names.values()]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                first, _, rest = ast.unparse(node).partition(".")
                found.append((node.lineno, f"{bound.get(first, first)}.{rest}"))
        return [(line, name) for line, name in found if _is_model(name)]


def _is_model(name: str) -> bool:
    """Whether a dotted name is a model that has a table."""
    module, _, attribute = name.rpartition(".")
    try:
        value = getattr(import_module(module), attribute, None) if ".models" in module else None
    except (ImportError, RuntimeError):  # no such module, or one of an app that is not installed
        return False
    return isinstance(value, ModelBase) and hasattr(value, "_meta") and not value._meta.abstract


def _spans(tree: ast.Module, count: int) -> list[tuple[int, int, int]]:
    """Of each operation: the line on which what stands before it ends, its first and last line."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign)
            and any(isinstance(name, ast.Name) and name.id == "operations" for name in node.targets)
            and isinstance(node.value, ast.List)
            and len(node.value.elts) == count
        ):
            spans, above = [], node.lineno
            for each in node.value.elts:
                spans.append((above, each.lineno, each.end_lineno or each.lineno))
                above = each.end_lineno or each.lineno
            return spans
    return []
