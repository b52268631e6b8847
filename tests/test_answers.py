"""The rules for each answer, asked directly: every refusal names the answer and the remedy."""

import json
import subprocess
from pathlib import Path
from typing import Any

import answers
import pre_gen_project
import pytest
from conftest import ROOT, SERVICE
from cookiecutter.utils import create_env_with_context

HOOK = ROOT / "hooks" / "pre_gen_project.py"


def refusals(**changed: object) -> list[str]:
    return pre_gen_project.problems({**answers.DEFAULTS, **changed})


def by_name(cases: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("answer", cases.values(), ids=cases.keys())


def test_the_default_answers_are_accepted() -> None:
    assert refusals() == []


@by_name(answers.REFUSED_SLUGS)
def test_a_bad_slug_is_refused(answer: str) -> None:
    found = refusals(project_slug=answer)
    assert found
    assert all(line.startswith("project_slug ") for line in found)


@pytest.mark.parametrize("answer", answers.LEGAL_SLUGS)
def test_a_good_slug_is_accepted(answer: str) -> None:
    assert refusals(project_slug=answer) == []


@pytest.mark.parametrize("question", ["project_name", "description"])
@by_name(answers.REFUSED_TEXTS)
def test_a_bad_text_is_refused(answer: str, question: str) -> None:
    found = refusals(**{question: answer})
    assert found
    assert all(line.startswith(f"{question} ") for line in found)


@pytest.mark.parametrize("question", ["project_name", "description"])
@by_name(answers.LEGAL_NAMES)
def test_a_strange_but_legal_text_is_accepted(answer: str, question: str) -> None:
    assert refusals(**{question: answer}) == []


def test_a_name_of_61_and_a_description_of_121_characters_are_refused() -> None:
    found = refusals(project_name="x" * 61, description="x" * 121)
    assert "has 61 characters; use at most 60" in found[0]
    assert "has 121 characters; use at most 120" in found[1]
    assert refusals(project_name="x" * 60, description="x" * 120) == []


@by_name(answers.REFUSED_DOMAINS)
def test_a_bad_domain_is_refused(answer: str) -> None:
    (found,) = refusals(domain_name=answer)
    assert found.startswith("domain_name ")


@pytest.mark.parametrize("answer", answers.LEGAL_DOMAINS)
def test_a_good_domain_is_accepted(answer: str) -> None:
    assert refusals(domain_name=answer) == []


@by_name(answers.REFUSED_OWNERS)
def test_a_bad_owner_is_refused(answer: str) -> None:
    (found,) = refusals(owner=answer)
    assert found.startswith("owner ")


@pytest.mark.parametrize("answer", answers.LEGAL_OWNERS)
def test_a_good_owner_is_accepted(answer: str) -> None:
    assert refusals(owner=answer) == []


@pytest.mark.parametrize("answer", [None, 7, True, ["a"], {"a": "b"}])
def test_an_answer_that_is_not_text_is_refused(answer: object) -> None:
    assert refusals(owner=answer) == ["owner is missing or not text; answer it with text"]


def test_an_answer_that_is_missing_is_refused() -> None:
    assert len(pre_gen_project.problems({})) == len(answers.DEFAULTS)


def test_a_message_shows_no_character_that_a_terminal_would_interpret() -> None:
    for text in answers.REFUSED_TEXTS.values():
        assert all(line.isprintable() for line in refusals(project_name=text, project_slug=text))


def test_every_answer_reaches_the_validator_as_it_was_given() -> None:
    corpus = [
        *answers.REFUSED_SLUGS.values(),
        *answers.REFUSED_TEXTS.values(),
        *answers.LEGAL_NAMES.values(),
        "'''",
        "''' + open('pwned', 'w').name + r'''",
        "\\'''",
        '""" + open("pwned", "w").name + r"""',
        '\\"""',
        '"',
        '""',
        "\\",
        "\\u0022",
    ]
    given = {f"answer_{number}": text for number, text in enumerate(corpus)}
    context = {"cookiecutter": given}
    source = HOOK.read_text(encoding="utf-8")
    rendered = create_env_with_context(context).from_string(source).render(**context)
    namespace: dict[str, Any] = {"__name__": "rendered"}
    exec(compile(rendered, "pre_gen_project", "exec"), namespace)  # noqa: S102
    assert json.loads(namespace["ANSWERS"]) == given


def test_the_top_folders_and_the_applications_of_the_service_are_reserved() -> None:
    folders = {path.name for path in SERVICE.iterdir() if path.is_dir() and path.name[0] != "."}
    applications = {path.parent.name for path in SERVICE.glob("apps/*/__init__.py")}
    assert folders
    assert folders <= pre_gen_project.FOLDERS
    assert applications
    assert applications <= pre_gen_project.APPLICATIONS


def test_every_package_the_service_installs_is_reserved(service_environment: Path) -> None:
    names = "import importlib.metadata as m; print(*m.packages_distributions())"
    importable = subprocess.run(
        [service_environment / "bin/python", "-c", names],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "django" in importable
    as_slugs = {name.replace("_", "-") for name in importable if name.isidentifier()}
    taken = {slug for slug in as_slugs if refusals(project_slug=slug) == []}
    assert taken == set()
