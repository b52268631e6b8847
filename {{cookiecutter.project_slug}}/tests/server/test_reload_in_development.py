"""Code that is being written: the server of development waits for it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from scripts.servers import Process
from tests.server.conftest import StartRole
from tests.server.roles import Role
from tests.stack import BASE_DIR

DEVELOPMENT = {"DJANGO_SETTINGS_MODULE": "config.settings.development", "WEB_CONCURRENCY": ""}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the service that may be edited; `start_role` starts it instead of ours."""
    copy = tmp_path / "service"
    for folder in ("apps", "config", "core", "scripts"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(BASE_DIR / folder, copy / folder, ignore=ignored)

    def process(name: str, command: list[str], **options: object) -> Process:
        start = copy / "scripts" / "start.sh"
        return Process(name, [start, *command[1:]], **{**options, "cwd": copy})  # type: ignore[arg-type]

    monkeypatch.setattr("tests.server.roles.Process", process)
    return copy


def save(web: Role, file: Path, text: str) -> None:
    """Until the reloader notices: what changes before its first look is not new to it."""
    noticed = reloads(web)
    for _ in range(10):
        file.write_text(text)
        with suppress(AssertionError):
            web.wait_until(lambda: reloads(web) > noticed, 4)
            return
    raise AssertionError(f"{file} was changed, and nothing happened{web.output}")


def reloads(web: Role) -> int:
    return sum("Worker reloading" in line for line in web.lines)


def answer(web: Role) -> tuple[int, bytes]:
    try:
        response, body = web.get("/livez", timeout=2)
    except OSError:
        return 0, b""
    return response.status, body


def test_a_mistake_is_shown_and_the_server_recovers_when_it_is_mended(
    start_role: StartRole, project: Path
) -> None:
    urls = project / "config" / "urls.py"
    sound = urls.read_text()
    with start_role("web", env=DEVELOPMENT) as web:
        for mistake, shown in (
            ("import nonexistent_module\n", b"No module named"),
            ("def (:\n", b"SyntaxError"),
        ):
            save(web, urls, sound + mistake)
            web.wait_until(lambda: answer(web)[0] == 500, 30)
            assert shown in answer(web)[1]
            save(web, urls, sound)
            web.wait_until(lambda: answer(web) == (200, b"ok\n"), 30)
