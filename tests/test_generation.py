"""The real cookiecutter command: what it refuses, what it leaves behind, how long it takes."""

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import answers
import bake
import pytest
from conftest import Generate, clean_environment, files_below, without_network

REFUSED = {
    "path out of the folder": ("project_slug=../esc",),
    "path into a folder": ("project_slug=a/b",),
    "keyword": ("project_slug=class",),
    "standard module": ("project_slug=json",),
    "package": ("project_slug=celery",),
    "application": ("project_slug=users",),
    "option": ("project_slug=-rf",),
    "trailing newline": ("project_slug=myshop\n",),
    "unicode slug": ("project_slug=caf\u00e9",),
    "too long slug": ("project_slug=" + "a" * 41,),
    "undecodable slug": ("project_slug=shop\udcff",),
    "code in the name": ('project_name=x"; import os; os.system("touch pwned")#',),
    "backslash in the name": ("project_name=shop\\",),
    "newline in the name": ("project_name=a\nb", "project_slug=my-shop"),
    "bidirectional override": ("project_name=shop\u202egnp", "project_slug=my-shop"),
    "empty name": ("project_name=", "project_slug=my-shop"),
    "quotation mark": ('description=say "hi"',),
    "port": ("domain_name=shop.example.com:8000",),
    "scheme": ("domain_name=https://shop.example.com",),
    "owner": ("owner=@Acme",),
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_answer_stops_with_a_message_and_leaves_no_file(
    given: tuple[str, ...], generate: Generate, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    finished = generate(*given)
    question = given[0].partition("=")[0]
    assert finished.returncode == 1
    assert f"\n  - {question} " in finished.stderr
    assert "Traceback" not in finished.stderr
    left = {path for path in tmp_path.rglob("*") if path.is_file() and state not in path.parents}
    assert left == set()


def test_an_absolute_path_as_slug_leaves_nothing_there(generate: Generate, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    assert generate(f"project_slug={target}").returncode == 1
    assert not target.exists()


def test_an_empty_slug_leaves_nothing(generate: Generate, tmp_path: Path) -> None:
    finished = generate("project_slug=")
    assert finished.returncode == 1
    assert "project_slug '' has 0 characters; use 3 to 40" in finished.stderr
    assert not (tmp_path / "out").exists()


def test_all_problems_are_named_in_one_message(generate: Generate) -> None:
    finished = generate(
        "project_name=a\\b",
        "project_slug=My_Shop",
        "description=" + "x" * 121,
        "domain_name=localhost",
        "owner=@acme",
    )
    message = [line for line in finished.stderr.splitlines() if line.startswith("  - ")]
    assert [line.split()[1] for line in message] == list(answers.DEFAULTS)
    assert finished.stderr.count("These answers cannot be used") == 1


def test_an_expression_typed_at_the_prompt_is_refused_as_text(
    template: Path, tmp_path: Path
) -> None:
    command = bake.cookiecutter_command(template, tmp_path / "out", state=tmp_path)
    command.remove("--no-input")
    finished = subprocess.run(
        command,
        input="{{ 7 * 7 }}\nmy-shop\n\n\n\n",
        check=False,
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    assert finished.returncode == 1
    assert "project_name '{{ 7 * 7 }}' holds { }" in finished.stderr
    assert files_below(tmp_path / "out") == {}


def test_every_question_is_asked_with_its_prompt(template: Path, tmp_path: Path) -> None:
    command = bake.cookiecutter_command(template, tmp_path / "out", state=tmp_path)
    command.remove("--no-input")
    finished = subprocess.run(
        command, input="\n" * 5, check=True, capture_output=True, text=True, env=clean_environment()
    )
    prompts = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))[
        "__prompts__"
    ]
    shown = " ".join(finished.stdout.split())
    for number, prompt in enumerate(prompts.values(), 1):
        assert f"[{number}/5] {prompt}" in shown
    assert (tmp_path / "out/my-service/manage.py").is_file()


def test_an_existing_folder_is_left_alone(generate: Generate, tmp_path: Path) -> None:
    existing = tmp_path / "out/my-service"
    existing.mkdir(parents=True)
    (existing / "notes.txt").write_text("mine", encoding="utf-8")
    finished = generate()
    assert finished.returncode == 1
    assert "already exists" in finished.stdout
    assert files_below(existing) == {"notes.txt": b"mine"}


def test_overwriting_deletes_no_file_of_the_user(generate: Generate, tmp_path: Path) -> None:
    service = tmp_path / "out/my-service"
    assert generate().returncode == 0
    generated = files_below(service)
    folders = [service, *(path for path in service.rglob("*") if path.is_dir())]
    for folder in folders:
        (folder / "mine.py").write_text("mine = True\n", encoding="utf-8")
    assert generate(overwrite=True).returncode == 0
    assert all((folder / "mine.py").is_file() for folder in folders)
    assert files_below(service).items() >= generated.items()


def test_overwriting_with_a_bad_answer_changes_nothing(generate: Generate, tmp_path: Path) -> None:
    assert generate().returncode == 0
    (tmp_path / "out/my-service/mine.py").write_text("mine = True\n", encoding="utf-8")
    before = files_below(tmp_path / "out")
    assert generate("domain_name=localhost", "owner=@acme", overwrite=True).returncode == 1
    assert files_below(tmp_path / "out") == before


def test_the_next_three_commands_are_printed(generate: Generate, tmp_path: Path) -> None:
    lines = generate(output=tmp_path / "a folder").stdout.splitlines()
    commands = [line.partition("#")[0].strip() for line in lines if line.startswith("  ")]
    assert commands == [f"cd '{tmp_path}/a folder/my-service'", "make run", "make test"]


def test_two_generations_are_identical(
    generate: Generate, default_service: Path, tmp_path: Path
) -> None:
    assert generate().returncode == 0
    again = tmp_path / "out/my-service"
    assert files_below(again) == files_below(default_service)
    for path in again.rglob("*"):
        assert path.stat().st_mode == (default_service / path.relative_to(again)).stat().st_mode


def test_generation_takes_under_two_seconds_and_no_network(template: Path, tmp_path: Path) -> None:
    prefix, variables = without_network()

    def seconds(output: Path) -> float:
        command = bake.cookiecutter_command(template, output, state=tmp_path)
        start = time.perf_counter()
        subprocess.run(
            [*prefix, *command],
            check=True,
            capture_output=True,
            env=clean_environment(**variables),
        )
        return time.perf_counter() - start

    # cookiecutter compiles a template for the path of each of our 1,100 files: 0.9 s of CPU. A busy
    # machine only adds to a duration, so the best of a few medians is what counts.
    medians: list[float] = []
    while not medians or medians[-1] >= 2:
        assert len(medians) < 3, f"{medians} s on {os.cpu_count()} CPUs"
        names = [f"{len(medians)}-{number}" for number in range(5)]
        medians.append(statistics.median(seconds(tmp_path / name) for name in names))


def test_a_bake_from_the_working_tree_holds_what_git_lists(tmp_path: Path) -> None:
    bake.export(tmp_path)
    exported = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert "cookiecutter.json" in exported
    assert not any("__pycache__" in path for path in exported)
