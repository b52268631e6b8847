"""The request id: accepted when it is one, made otherwise, bound where work happens."""

import re
from contextvars import copy_context

import pytest

from core.requests.context import (
    accepted_request_id,
    bind_request_id,
    clear_context,
    current_request_id,
    new_request_id,
)

NEW = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize(
    "value",
    [
        "abcdefgh",
        "0b4f6e1c2d3a4958871605f4e3d2c1b0",
        "123e4567-e89b-12d3-a456-426614174000",
        "1-67891233_abcdef.012345",
        "x" * 128,
    ],
)
def test_an_id_of_a_proxy_is_accepted(value: str) -> None:
    assert accepted_request_id(value) == value
    assert copy_context().run(bind_request_id, value) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "short-7",
        "x" * 129,
        "x" * 10_240,
        "abcdefgh\n",
        "\nabcdefgh",
        "abcd\nefgh",
        "abcd\r\nX-Evil: 1",
        "abcd efgh",
        "abcdefgh\x00",
        "\x1b[31mabcdefgh",
        "abcdefgh\u2028",
        "abcdefgé",
        "\uff41bcdefgh",
        "\uff11\uff12345678",
        '"},{"a":"b"}',
        "${jndi:ldap://x}",
        b"abcdefgh",
        ["abcdefgh"],
        12345678,
    ],
    ids=repr,
)
def test_anything_else_is_replaced_by_a_new_id(value: object) -> None:
    assert accepted_request_id(value) is None
    bound = copy_context().run(bind_request_id, value)
    assert NEW.fullmatch(bound)


def test_a_new_id_is_another_one_each_time_and_is_itself_accepted() -> None:
    ids = {new_request_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(accepted_request_id(each) == each for each in ids)


def test_the_bound_id_is_the_current_one_until_it_is_cleared() -> None:
    def work() -> list[str | None]:
        seen = [current_request_id()]
        bind_request_id("request-1")
        seen.append(current_request_id())
        clear_context()
        return [*seen, current_request_id()]

    assert copy_context().run(work) == [None, "request-1", None]
