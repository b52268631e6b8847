"""A log line: one JSON object, whatever is logged and whoever chose its text."""

import json
import logging
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog

from core.logs.fields import TRACEBACK_LIMIT, VALUE_LIMIT
from core.logs.rendering import LINE_LIMIT
from core.requests.context import bind_request_id, clear_context
from tests.logged import logged

HOSTILE = {
    "line break": "a\n" + '{"level": "info", "message": "forged"}',
    "carriage return": "a\r\nforged",
    "vertical tab and form feed": "a\vforged\fforged",
    "separators": "a\x1cforged\x1dforged\x1eforged",
    "NUL": "a\x00forged",
    "ANSI": "\x1b[2K\x1b[1A\x1b[31mforged",
    "DEL": "a\x7fforged",
    "C1 CSI": "a\x9b31mforged",
    "next line": "a\x85forged",
    "line separator": "a\u2028forged",
    "paragraph separator": "a\u2029forged",
    "bidirectional override": "a\u202eforged",
    "JSON": '"}\n{"a": "b',
}
# What none of our lines may hold as it is, in either format.
UNSAFE = {chr(code) for code in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E]}

structured = structlog.get_logger("tests.structured")
standard = logging.getLogger("tests.standard")


def test_a_line_names_its_time_level_logger_and_process() -> None:
    before = datetime.now(UTC)
    with logged() as lines:
        structured.warning("stock is low", product=7)
    (line,) = lines.json
    assert before <= datetime.fromisoformat(line.pop("timestamp")) <= datetime.now(UTC)
    assert line == {
        "level": "warning",
        "logger": "tests.structured",
        "message": "stock is low",
        "service": "shop",
        "role": "test",
        "release": "r1",
        "pid": os.getpid(),
        "product": 7,
    }


def test_a_library_that_logs_by_the_standard_library_gets_the_same_line() -> None:
    with logged() as lines:
        standard.warning("stock of %s is low", "tea", extra={"product": 7})
    (line,) = lines.json
    assert line["message"] == "stock of tea is low"
    assert (line["level"], line["logger"], line["product"]) == ("warning", "tests.standard", 7)
    assert (line["service"], line["role"], line["release"]) == ("shop", "test", "r1")


@pytest.mark.parametrize("logger", [structured, standard], ids=["structlog", "logging"])
def test_what_is_bound_is_in_every_line_until_it_is_cleared(logger: Any) -> None:
    with logged() as lines:
        bind_request_id("request-1")
        logger.warning("inside")
        clear_context()
        logger.warning("outside")
    inside, outside = lines.json
    assert inside["request_id"] == "request-1"
    assert "request_id" not in outside


@pytest.mark.parametrize("logger", [structured, standard], ids=["structlog", "logging"])
def test_a_traceback_is_one_string_of_its_line(logger: Any) -> None:
    with logged() as lines:
        try:
            int("seven")
        except ValueError:
            logger.exception("not a number")
    (line,) = lines.json
    assert (line["level"], line["message"]) == ("error", "not a number")
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: invalid literal for int() with base 10: 'seven'")
    assert 'int("seven")' in line["exception"]


def test_an_exception_that_is_passed_as_a_value_of_exc_info_is_shown_with_its_cause() -> None:
    error = RuntimeError("outer")
    error.__cause__ = KeyError("inner")
    with logged() as lines:
        structured.error("failed", exc_info=error)
    (line,) = lines.json
    assert "KeyError: 'inner'" in line["exception"]
    assert line["exception"].endswith("RuntimeError: outer")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_makes_a_second_line_and_none_is_lost(text: str) -> None:
    with logged() as lines:
        structured.warning(text, value=text, nested={text: [text]}, **{text: "as a key"})
        standard.warning("%s", text, extra={"value": text})
        try:
            raise ValueError(text)
        except ValueError:
            structured.exception("failed")
    assert len(lines.rows) == 3
    assert not UNSAFE & set(lines.text.replace("\n", ""))
    first, second, third = lines.json
    assert first["message"] == first["value"] == second["message"] == second["value"] == text
    assert first["nested"] == {text: [text]}
    assert first[text] == "as a key"
    assert third["exception"].endswith("ValueError: " + text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_in_development_no_text_makes_a_line_or_reaches_the_terminal(text: str) -> None:
    with logged(readable=True) as lines:
        structured.warning(text, value=text, nested={text: [text]}, **{text: "as a key"})
        standard.warning("%s", text, extra={"value": text})
        try:
            raise ValueError(text)
        except ValueError:
            structured.exception("failed")
    starts = [row for row in lines.rows if not row.startswith("    ")]
    assert len(starts) == 3
    colours = {"\x1b", "\n"}
    assert not (UNSAFE - colours) & set(lines.text)
    assert "\x1b[31mforged" not in lines.text
    assert "\x1b[2K" not in lines.text


def test_in_development_a_line_is_readable_and_coloured() -> None:
    with logged(readable=True) as lines:
        structured.warning("stock is low", product=7)
    (row,) = lines.rows
    assert "\x1b[" in row
    assert "stock is low" in row
    assert "service" not in row


def test_a_field_of_the_caller_takes_the_place_of_none_of_ours() -> None:
    with logged() as lines:
        structured.warning("true", level="critical", service="other", timestamp="never", pid=1)
    (line,) = lines.json
    assert (line["level"], line["service"], line["pid"]) == ("warning", "shop", os.getpid())
    assert (line["level_"], line["service_"], line["timestamp_"]) == ("critical", "other", "never")


def test_a_long_value_is_cut_to_its_start_and_end_and_says_so() -> None:
    text = "start" + "x" * 100_000 + "end"
    with logged() as lines:
        structured.warning(text, value=text)
    (line,) = lines.json
    for value in (line["message"], line["value"]):
        assert value.startswith("start")
        assert value.endswith("end")
        assert f"[{len(text) - VALUE_LIMIT} characters cut]" in value
        assert len(value) < VALUE_LIMIT + 50


def test_a_value_at_the_limit_is_whole() -> None:
    with logged() as lines:
        structured.warning("x" * VALUE_LIMIT, value="y" * VALUE_LIMIT)
    assert lines.json[0]["message"] == "x" * VALUE_LIMIT
    assert lines.json[0]["value"] == "y" * VALUE_LIMIT


def test_a_long_traceback_keeps_the_error_at_its_end() -> None:
    with logged() as lines:
        try:
            raise ValueError("x" * 100_000 + "the end")
        except ValueError:
            structured.exception("failed")
    exception = lines.json[0]["exception"]
    assert exception.startswith("Traceback")
    assert exception.endswith("the end")
    assert len(exception) < TRACEBACK_LIMIT + 50


@pytest.mark.parametrize("character", ["x", "\x00", "\u2028", "\U0001f600"], ids=ascii)
def test_a_line_of_many_long_values_is_cut_to_what_tells_where_it_came_from(character: str) -> None:
    long = character * 100_000
    with logged() as lines:
        bind_request_id("request-1")
        try:
            raise ValueError(long)
        except ValueError:
            structured.exception(long, **{f"field_{number}": long for number in range(50)})
        clear_context()
    assert len(lines.text) <= LINE_LIMIT
    (line,) = lines.json
    assert (line["service"], line["request_id"], line["fields_cut"]) == ("shop", "request-1", 50)
    assert line["message"]
    assert line["exception"].startswith("Traceback")


@pytest.mark.parametrize("character", ["\x00", "\u2028"], ids=ascii)
def test_the_length_of_a_line_counts_what_is_written(character: str) -> None:
    with logged() as lines:
        structured.warning("x", **{f"field_{number}": character * 3_000 for number in range(5)})
    assert len(lines.text) <= LINE_LIMIT
    assert lines.json[0]["fields_cut"] == 5


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("not even this")


@dataclass
class Login:
    user: str
    password: str = field(repr=False)


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (10**30, "1" + "0" * 30),
        (float("nan"), None),
        ("\ud800", "\\ud800"),
        (CIRCLE, "[[...]]"),
        (Unprintable(), "<Unprintable that cannot be shown>"),
        (Decimal("9.90"), "9.90"),
        (Path("/srv"), "/srv"),
        (b"\xff", "b'\\xff'"),
        ({1: "a"}, {"1": "a"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_json_does_not_know_is_shown_as_text(value: object, shown: object) -> None:
    with logged() as lines:
        structured.warning("odd", value=value, other="kept")
    (line,) = lines.json
    assert (line["value"], line["other"]) == (shown, "kept")


def test_a_value_that_cannot_be_encoded_costs_the_others_nothing() -> None:
    with logged() as lines:
        try:
            raise ValueError("\ud800" + "x" * 5000)
        except ValueError:
            structured.exception("y" * 5000, number=1.5, nothing=None, truth=True)
    (line,) = lines.json
    assert line["message"] == "y" * 5000
    assert line["exception"].endswith("\\ud800" + "x" * 5000)
    assert (line["number"], line["nothing"], line["truth"]) == (1.5, None, True)


def test_a_field_that_a_dataclass_hides_is_not_logged() -> None:
    with logged() as lines:
        structured.warning("login", login=Login("ann", "hunter2"), nested=[Login("bob", "hunter3")])
    assert "ann" in lines.text
    assert "bob" in lines.text
    assert "hunter" not in lines.text


def test_a_request_object_that_a_library_attached_is_not_logged() -> None:
    with logged() as lines:
        standard.error("failed", extra={"request": "<headers and body>", "status_code": 500})
    (line,) = lines.json
    assert "request" not in line
    assert line["status_code"] == 500


def test_a_log_call_with_wrong_arguments_is_a_line_that_names_the_call() -> None:
    with logged() as lines:
        standard.warning("%d pieces", "seven")
    (line,) = lines.json
    assert line["level"] == "error"
    assert line["message"] == "a log call could not be formatted"
    assert line["call_message"] == "%d pieces"
    assert line["call"].startswith(__file__)
    assert "TypeError" in line["exception"]


def test_a_line_below_the_level_is_not_written() -> None:
    with logged(level="WARNING") as lines:
        structured.info("chatter")
        standard.info("chatter")
        structured.warning("news")
    assert [line["message"] for line in lines.json] == ["news"]


def test_json_dumps_of_a_line_and_the_line_agree() -> None:
    with logged() as lines:
        structured.warning("naïve café \U0001f600", price=Decimal("1.5"))
    (row,) = lines.rows
    assert json.loads(row)["message"] == "naïve café \U0001f600"


def test_a_second_handler_finds_the_event_as_it_was_logged() -> None:
    seen: list[object] = []

    class Second(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.msg)

    with logged() as lines:
        logging.getLogger().addHandler(Second())
        structured.warning("news", price=1)
    (line,) = lines.json
    assert line["price"] == 1
    assert seen == [{"event": "news", "price": 1}]
