"""A freshly generated service passes its own checks and tests on its first commit."""

from pathlib import Path

import pytest
from baked import changes, committed_service, passes_every_test, streamed


@pytest.fixture(scope="module")
def baked_service() -> Path:
    return committed_service("baked")


def test_make_check_is_green_on_the_first_commit(
    baked_service: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, _ = streamed(["make", "check"], baked_service, capfd)
    assert status == 0
    # The lock file is written by the first command, for the owner to commit.
    assert changes(baked_service) == "?? uv.lock\n"


def test_make_test_passes_with_nothing_skipped(
    baked_service: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    passes_every_test(baked_service, capfd)
    assert changes(baked_service) == "?? uv.lock\n"


@pytest.fixture(scope="module")
def hooked_service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service on its first day: generated, with hooks in place and nothing committed yet."""
    output = tmp_path_factory.mktemp("hooked")
    subprocess.run(
        [sys.executable, ROOT / "scripts/bake.py", output], check=True, env=clean_environment()
    )
    service = output / "my-service"
    for command in (["git", "init", "--quiet"], ["make", "hooks"]):
        subprocess.run(command, check=True, cwd=service, env=clean_environment())
    return service


def commit(service: Path) -> subprocess.CompletedProcess[str]:
    """Commit all there is, through the hooks."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", "add", "."], check=True, cwd=service, env=clean_environment())
    return subprocess.run(
        ["git", *who, "commit", "-m", "Commit"],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=service,
        env=clean_environment(),
    )


@pytest.fixture(scope="module")
def first_commit(hooked_service: Path) -> subprocess.CompletedProcess[str]:
    return commit(hooked_service)


def test_the_first_commit_passes_the_hooks_and_holds_everything(
    hooked_service: Path, first_commit: subprocess.CompletedProcess[str]
) -> None:
    assert first_commit.returncode == 0, first_commit.stdout
    for hook in ("ruff check", "ruff format", "workflows", "make lint-migrations"):
        assert re.search(rf"^{hook}.*Passed$", first_commit.stdout, re.M), first_commit.stdout
    assert changes(hooked_service) == ""
    listed = subprocess.run(
        ["git", "ls-files", "uv.lock"], check=True, capture_output=True, cwd=hooked_service
    )
    assert listed.stdout == b"uv.lock\n"


DANGEROUS = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_product_image")]
    operations = [migrations.RemoveField("product", "image")]
"""


@pytest.mark.parametrize(
    ("path", "content", "hook"),
    [
        ("apps/shop/flaw.py", "x = {  'a':1 }\n", "ruff format"),
        ("apps/shop/migrations/0005_flaw.py", DANGEROUS, "make lint-migrations"),
        (
            ".github/workflows/flaw.yml",
            "on: push\njobs: {a: {runs-on: x, steps: [{uses: actions/checkout@main}]}}\n",
            "workflows",
        ),
    ],
    ids=["format", "migration", "workflow"],
)
@pytest.mark.usefixtures("first_commit")
def test_a_commit_with_a_flaw_is_refused_by_its_hook(
    path: str, content: str, hook: str, hooked_service: Path
) -> None:
    flaw = hooked_service / path
    flaw.write_text(content, encoding="utf-8")
    try:
        finished = commit(hooked_service)
    finally:
        flaw.unlink()
        subprocess.run(["git", "add", "."], check=True, cwd=hooked_service)
    assert finished.returncode != 0
    assert re.search(rf"^{hook}.*Failed$", finished.stdout, re.M), finished.stdout
    assert Path(path).name in finished.stdout
