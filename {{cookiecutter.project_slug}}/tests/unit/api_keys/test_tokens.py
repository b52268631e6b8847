from __future__ import annotations

import re
from hashlib import sha256

import pytest

from apps.api_keys.tokens import PATTERN, Token, new_token, parse_token


def test_a_new_key_is_read_back() -> None:
    token = new_token()
    assert parse_token(token.text) == token


def test_a_secret_scanner_finds_a_key_in_any_text() -> None:
    text = new_token().text
    assert re.findall(PATTERN, f'Authorization: "Bearer {text}", and more') == [text]


def test_two_keys_share_nothing() -> None:
    first, second = new_token(), new_token()
    assert first.prefix != second.prefix
    assert first.secret != second.secret


def test_what_is_kept_is_the_hash_of_the_secret() -> None:
    token = new_token()
    assert token.digest == sha256(token.secret.encode()).hexdigest()


def test_the_secret_is_in_no_representation() -> None:
    token = new_token()
    assert token.secret not in repr(token) + str(token)


def test_every_mistyped_character_is_found_without_the_database() -> None:
    text = new_token().text
    for position, character in enumerate(text):
        other = "x" if character != "x" else "y"
        assert parse_token(text[:position] + other + text[position + 1 :]) is None, position


KEY = Token("srvkey_a1B2c3D4e5F6", "s" * 43).text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "srvkey_",
        KEY[:-1],
        KEY + "0",
        KEY + "\n",
        " " + KEY,
        KEY.replace(".", ""),
        KEY.replace("srvkey", "apikey"),
        KEY.replace("s" * 43, "\0" * 43),
        "ü" * 69,
        "x" * 100_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_no_key_is_refused(text: str) -> None:
    assert parse_token(KEY)
    assert parse_token(text) is None
