"""Whoever opens a folder of core/ reads it in one sitting.

Counted are lines of code: without blank lines, comments, docstrings and migrations, so that nobody
saves a limit by saying less.
"""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

CORE = Path(__file__).resolve().parents[2] / "core"
# A concern, before it is two; and all of them, with room for what is planned (requests that are
# repeated, outgoing calls, metrics, traces). More than that is a package.
CONCERN, WHOLE = 500, 8_000

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def lines_of_code(source: str) -> int:
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            code |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            code -= set(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    return len(code)


def concern(folder: Path) -> int:
    return sum(
        lines_of_code(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*.py")
        if "migrations" not in path.relative_to(folder).parts
    )


def test_a_concern_is_read_in_one_sitting_and_all_of_core_in_a_day() -> None:
    sizes = {folder.name: concern(folder) for folder in CORE.iterdir() if folder.is_dir()}
    assert {name: size for name, size in sizes.items() if size > CONCERN} == {}
    assert 0 < sum(sizes.values()) <= WHOLE


def test_only_lines_of_code_count() -> None:
    source = '"""A\n\ndocstring."""\n\n# A comment.\nX = """two\nlines"""  # here\n\n\n'
    source += 'def f():\n    """No."""\n'
    assert lines_of_code(source) == 3
