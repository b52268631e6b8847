"""A second language is a catalogue and a line in the settings; English costs nothing for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from tests.stack import BASE_DIR, STACK, clean_environment, program

CATALOGUES = "locale/de/LC_MESSAGES"
GERMAN = {
    "Page not found": "Seite nicht gefunden",
    "There is nothing at this address.": "Unter dieser Adresse ist nichts.",
}
ASK = """
import json
import django
django.setup()
from django.test import Client
found = {}
for language in ("de-AT,de;q=0.9", "en", "fr"):
    for path in ("/missing/", "/api/v1/missing/"):
        answer = Client(SERVER_NAME="localhost").get(path, HTTP_ACCEPT_LANGUAGE=language)
        found[f"{language[:2]} {path[:4]}"] = [answer.content.decode(), dict(answer.headers)]
print("ANSWERS" + json.dumps(found))
"""

needs_gettext = pytest.mark.skipif(
    not shutil.which("xgettext") or not shutil.which("msgfmt"),
    reason="GNU gettext is missing: apt-get install gettext",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the service that may be changed."""
    for name in ("apps", "config", "core", "locale", "scripts"):
        ignored = shutil.ignore_patterns("__pycache__", "*.mo")
        shutil.copytree(BASE_DIR / name, tmp_path / name, ignore=ignored)
    return tmp_path


def run(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("python"), *arguments],
        cwd=project,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def messages(project: Path, *languages: str, **variables: str) -> None:
    done = run(project, "-m", "scripts.messages", *languages, **variables)
    assert done.returncode == 0, done.stderr


def files(project: Path) -> dict[str, bytes]:
    folder = project / "locale"
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@needs_gettext
def test_the_texts_to_translate_are_those_of_the_sources(project: Path) -> None:
    before = files(project)

    messages(project)

    assert entries(project / "locale/django.pot") == entries(BASE_DIR / "locale/django.pot"), (
        "run `make messages`"
    )
    assert files(project).keys() == before.keys()


def entries(catalogue: Path) -> str:
    """All but the header, in which versions of gettext differ."""
    return catalogue.read_text(encoding="utf-8").partition("\n\n")[2]


@needs_gettext
def test_the_same_sources_give_the_same_files(project: Path) -> None:
    messages(project, "de")
    first = files(project)
    assert set(map(os.path.basename, first)) == {"django.pot", "django.po", "django.mo"}

    moved = project / "core/pages/errors.py"
    moved.write_text("\n\n" + moved.read_text(encoding="utf-8"), encoding="utf-8")
    messages(project, TZ="Asia/Tokyo")

    assert files(project) == first


@needs_gettext
def test_a_page_and_a_problem_answer_in_the_language_that_was_added(project: Path) -> None:
    messages(project, "de")
    catalogue = project / CATALOGUES / "django.po"
    text = catalogue.read_text(encoding="utf-8")
    for english, german in GERMAN.items():
        text = text.replace(
            f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{german}"'
        )
    catalogue.write_text(text, encoding="utf-8")
    messages(project)
    component = project / "config/settings/components/languages.py"
    component.write_text(
        component.read_text().replace('("en", "English")', '("en", "English"), ("de", "Deutsch")')
    )

    done = run(
        project,
        "-c",
        ASK,
        **STACK.variables,
        DJANGO_SETTINGS_MODULE="config.settings.test",
        SECRET_KEY=os.environ["SECRET_KEY"],
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.partition("ANSWERS")[2])
    page, headers = found["de /mis"]
    assert "Seite nicht gefunden" in page
    assert '<html lang="de">' in page
    assert headers["Content-Language"] == "de"
    assert "Accept-Language" in headers["Vary"]
    problem, headers = found["de /api"]
    assert json.loads(problem)["detail"] == "Unter dieser Adresse ist nichts."
    assert json.loads(problem)["code"] == "not_found"
    assert headers["Content-Language"] == "de"
    for language in ("en", "fr"):  # what nobody translated is in the language of the sources
        page, headers = found[f"{language} /mis"]
        assert "Page not found" in page
        assert headers["Content-Language"] == "en"


def test_without_gettext_one_sentence_says_what_to_install(project: Path) -> None:
    done = run(project, "-m", "scripts.messages", PATH="")

    assert done.returncode == 1
    assert re.fullmatch(r"messages: .*gettext.*apt-get install gettext.*\n", done.stderr)


def test_what_is_no_language_is_named(project: Path) -> None:
    done = run(project, "-m", "scripts.messages", "../de")

    assert done.returncode == 1
    assert re.fullmatch(r"messages: \.\./de is no language.*\n", done.stderr)


def test_without_a_second_language_no_request_is_asked_for_its_language() -> None:
    assert len(settings.LANGUAGES) == 1
    assert not [name for name in settings.MIDDLEWARE if "LocaleMiddleware" in name]
