"""What the template's tests share: a copy of the template as a clone has it, and baking from it."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import bake
import pytest

ROOT = bake.ROOT
SERVICE = ROOT / bake.SERVICE
BUILD = ROOT / "build"

type Generate = Callable[..., subprocess.CompletedProcess[str]]

# Passed on to the commands under test. Everything else of the caller's environment would decide
# for them: a DATABASE_URL, a make flag, an activated environment.
PASSED_ON = ("HOME", "PATH", "LANG", "TMPDIR", "NO_PROXY", "no_proxy")
PASSED_ON_PREFIXES = ("SSL_", "PIP_", "UV_", "HTTP_", "HTTPS_", "http_", "https_")
PASSED_ON_SUFFIXES = ("_CA_BUNDLE", "_CERT_FILE")


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a bare shell on this machine: paths, certificates and proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON
        or name.startswith(PASSED_ON_PREFIXES)
        or name.endswith(PASSED_ON_SUFFIXES)
    }
    return kept | more


def without_network() -> tuple[list[str], dict[str, str]]:
    """A command prefix and variables under which no connection can be made.

    A network namespace with nothing in it where the machine allows one, for root or for a user;
    else, but never in CI, proxies at a port that nothing listens on, which prove less.
    """
    unshare = shutil.which("unshare")
    for flags in ("-n", "-rn") if unshare else ():
        prefix = [str(unshare), flags]
        if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0:
            return prefix, {}
    if os.environ.get("CI") == "true":
        pytest.fail("this machine allows no network namespace (unshare -n, unshare -rn)")
    dead = "http://127.0.0.1:9"
    return [], {"http_proxy": dead, "https_proxy": dead, "no_proxy": ""}


def files_below(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder, by its path relative to it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generating parts of the template, as a clone holds them."""
    folder = tmp_path_factory.mktemp("clone") / "django-prod-template"
    bake.export(folder)
    return folder


@pytest.fixture
def generate(template: Path, tmp_path: Path) -> Generate:
    """Run the real cookiecutter, by default into the folder `out` of the test."""
    state = tmp_path / "state"
    state.mkdir()

    def run(
        *answers: str, overwrite: bool = False, output: Path = tmp_path / "out"
    ) -> subprocess.CompletedProcess[str]:
        command = bake.cookiecutter_command(
            template, output, *answers, overwrite=overwrite, state=state
        )
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=clean_environment(),
        )

    return run


@pytest.fixture(scope="session")
def default_service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service generated with the default answers; tests read it and leave it alone."""
    output = tmp_path_factory.mktemp("default")
    state = tmp_path_factory.mktemp("state")
    command = bake.cookiecutter_command(template, output, state=state)
    subprocess.run(command, check=True, capture_output=True, env=clean_environment())
    return output / "my-service"


def installed(venv: str) -> Path:
    command = ["make", "--no-print-directory", f"{venv}/.installed"]
    subprocess.run(command, check=True, cwd=ROOT, env=clean_environment())
    return ROOT / venv


@pytest.fixture(scope="session")
def service_environment() -> Path:
    """The environment in which the service is checked unrendered, made by the Makefile."""
    return installed("build/service/.venv")


@pytest.fixture(scope="session")
def template_environment() -> Path:
    """The environment of the commands at the root, made by the Makefile."""
    return installed(".venv")
