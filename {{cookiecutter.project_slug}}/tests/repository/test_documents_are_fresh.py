"""Generated documents say what the code says."""

from scripts.environment_docs import documents


def test_the_documents_of_the_environment_are_fresh() -> None:
    stale = [
        path.name for path, content in documents().items() if path.read_text("utf-8") != content
    ]

    assert stale == [], "run `make docs`"
