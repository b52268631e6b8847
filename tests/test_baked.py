"""How the output of a generated service's tests is read."""

from baked import names_of_failures

OUTPUT = """\
------------------------------ Captured log call -------------------------------
ERROR    core.storage:s3.py:228 {'operation': 'save', 'event': 'object store failed'}
FAILED tests/unit/test_a.py::test_of_a_log - said a test
=========================== short test summary info ============================
FAILED tests/unit/test_a.py::test_one[a b] - AssertionError: no - never
ERROR tests/server/test_b.py::test_two
============= 1 failed, 2477 passed, 1 error in 2576.53s (0:42:56) =============
"""


def test_only_the_summary_names_what_failed() -> None:
    assert names_of_failures(OUTPUT) == [
        "tests/unit/test_a.py::test_one[a b]",
        "tests/server/test_b.py::test_two",
    ]
