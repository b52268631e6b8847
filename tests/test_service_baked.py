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
