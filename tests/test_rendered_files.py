"""The few files that hold answers: which they are, and that each says what was answered."""

import fnmatch
import json
import re
import subprocess
import tomllib
from pathlib import Path

import answers
import bake
import pytest
import yaml
from conftest import ROOT, SERVICE, Generate, clean_environment, files_below
from markdown_it import MarkdownIt

# What may hold an answer; everything else is copied as it is.
IDENTITY = {
    ".env.example",
    ".github/CODEOWNERS",
    "README.md",
    "config/identity.toml",
    "deploy/identity.env",
    "deploy/kubernetes/base/kustomization.yaml",
    "deploy/nginx/identity.conf",
}
SETTINGS = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
COPIED = SETTINGS["_copy_without_render"]
SOURCES = {
    path.removeprefix(f"{bake.SERVICE}/"): (ROOT / path).read_bytes()
    for path in bake.listed(bake.SERVICE)
}
EXPRESSION = re.compile(r"\{\{-?\s*cookiecutter\.(?P<question>\w+)\s*-?\}\}")


def copied(path: str) -> bool:
    return any(fnmatch.fnmatch(path, pattern) for pattern in COPIED)


def test_five_text_questions_are_asked() -> None:
    questions = {key: value for key, value in SETTINGS.items() if not key.startswith("_")}
    assert list(questions) == list(answers.DEFAULTS)
    assert all(isinstance(default, str) for default in questions.values())
    assert list(SETTINGS["__prompts__"]) == list(questions)


def test_only_the_identity_files_are_rendered_and_they_are_at_most_ten() -> None:
    rendered = {path for path in SOURCES if not copied(path)}
    assert rendered <= IDENTITY
    assert len(rendered) <= 10


def test_every_other_file_is_copied_byte_for_byte(default_service: Path) -> None:
    generated = files_below(default_service)
    assert set(generated) == set(SOURCES)
    changed = {path for path, content in SOURCES.items() if generated[path] != content}
    assert changed <= IDENTITY
    assert changed


def test_file_modes_survive_generation(default_service: Path) -> None:
    for path in SOURCES:
        expected = (SERVICE / path).stat().st_mode
        assert (default_service / path).stat().st_mode == expected, path


def test_no_pattern_matches_a_folder() -> None:
    # cookiecutter replaces a matched folder as a whole, and overwriting would delete user files.
    folders = {str(parent) for path in SOURCES for parent in Path(path).parents} - {"."}
    assert [folder for folder in folders if copied(folder)] == []


def test_no_control_line_stands_in_a_rendered_file_a_hook_or_a_file_name() -> None:
    texts = {path: content.decode() for path, content in SOURCES.items() if not copied(path)}
    texts |= {path.name: path.read_text("utf-8") for path in (ROOT / "hooks").glob("*.py")}
    assert [path for path, text in texts.items() if "{%" in text or "{#" in text] == []
    assert [path for path in SOURCES if "{" in path] == []


def test_rendered_files_hold_nothing_but_plain_answers() -> None:
    for path, content in SOURCES.items():
        if copied(path):
            continue
        rest, _ = EXPRESSION.subn("", content.decode())
        assert "{{" not in rest, path
        questions = {match["question"] for match in EXPRESSION.finditer(content.decode())}
        assert questions <= set(answers.DEFAULTS), path


def test_the_hooks_hold_one_expression() -> None:
    found = {
        path.name: re.findall(r"\{\{.*?\}\}", path.read_text(encoding="utf-8"))
        for path in (ROOT / "hooks").glob("*.py")
    }
    assert found == {
        "pre_gen_project.py": ["{{ cookiecutter | tojson }}"],
        "post_gen_project.py": [],
    }


def test_no_jinja_stands_in_python_workflows_or_pyproject() -> None:
    braces = [
        path
        for path, content in SOURCES.items()
        if path.endswith(".py") and (b"{{" in content or b"{%" in content)
    ]
    assert braces == []
    mentions = [
        path
        for path, content in SOURCES.items()
        if copied(path) and re.search(rb"\{[{%][^}]*cookiecutter", content)
    ]
    assert mentions == []


def spoken(markdown: str) -> str:
    """The text of a Markdown page as its reader sees it."""
    tokens = MarkdownIt("commonmark").enable("strikethrough").enable("table").parse(markdown)
    children = [child for token in tokens for child in token.children or []]
    leaves = [child for child in children if child.type in {"text", "code_inline"}]
    return "\n".join(leaf.content for leaf in leaves)


def variables(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = [line.partition("=") for line in lines]
    assert all(name.isidentifier() and sign for name, sign, _ in pairs), text
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("name", answers.LEGAL_NAMES.values(), ids=answers.LEGAL_NAMES.keys())
def test_every_rendered_file_parses_and_says_what_was_answered(
    name: str, generate: Generate, tmp_path: Path
) -> None:
    description = (name * 120)[:120].strip()
    slug = "a" * 40
    finished = generate(
        f"project_name={name}",
        f"project_slug={slug}",
        f"description={description}",
        f"domain_name={answers.LONGEST_DOMAIN}",
        f"owner={'a' * 39}",
    )
    assert finished.returncode == 0, finished.stderr
    service = tmp_path / "out" / slug
    assert set(files_below(service)) == set(SOURCES)
    for path in service.rglob("*.toml"):
        tomllib.loads(path.read_text(encoding="utf-8"))
    for path in (*service.rglob("*.yaml"), *service.rglob("*.yml")):
        list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    variables((service / ".env.example").read_text(encoding="utf-8"))

    identity = tomllib.loads((service / "config/identity.toml").read_text(encoding="utf-8"))
    assert identity == {"name": name, "description": description}
    assert variables((service / "deploy/identity.env").read_text(encoding="utf-8")) == {
        "SERVICE_NAME": slug,
        "DOMAIN_NAME": answers.LONGEST_DOMAIN,
        "OWNER": "a" * 39,
    }
    assert f"\n* @{'a' * 39}\n" in (service / ".github/CODEOWNERS").read_text(encoding="utf-8")
    page = spoken((service / "README.md").read_text(encoding="utf-8")).splitlines()
    assert slug in page
    assert name in page
    assert description in page


@pytest.mark.parametrize("reader", ["sh", "make"])
def test_the_machine_identity_reads_the_same_in_shell_and_make(
    reader: str, default_service: Path
) -> None:
    file = default_service / "deploy/identity.env"
    programs = {
        "sh": ["sh", "-c", f". '{file}'; echo $SERVICE_NAME $DOMAIN_NAME $OWNER"],
        "make": [
            "make",
            "-s",
            f"--eval=include {file}",
            "--eval=x:;@echo $(SERVICE_NAME) $(DOMAIN_NAME) $(OWNER)",
            "x",
        ],
    }
    finished = subprocess.run(
        programs[reader], check=True, capture_output=True, text=True, env=clean_environment()
    )
    assert finished.stdout.split() == ["my-service", "my-service.example.com", "acme"]
