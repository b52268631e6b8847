"""How schemathesis calls this service. It imports this module, in the service's environment.

CALLER says as whom (tests/contract/scenario.py), whose rows are made here and now.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import count
from typing import Any

import django
import schemathesis
from schemathesis.auths import GLOBAL_AUTH_STORAGE, set_on_case
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

django.setup()

from django.conf import settings  # noqa: E402
from django.utils.crypto import get_random_string  # noqa: E402

from tests.contract.scenario import Scenario  # noqa: E402

Case = schemathesis.Case
SCENARIO = Scenario(os.environ["CALLER"])
CSRF_TOKEN = get_random_string(32)
# The guards of accounts count by network. They stay on: each call comes from a network of its own,
# as the proxy on loopback says, and what they count for one account or address is a 429.
NETWORKS = count(int(IPv4Address("10.0.0.1")), 256)


@schemathesis.auth()
class Caller:
    """What a browser or a program of this caller sends with every request."""

    def get(self, case: Case, context: schemathesis.AuthContext) -> str:
        return SCENARIO.caller

    def set(self, case: Case, data: str, context: schemathesis.AuthContext) -> None:
        case.headers["X-Forwarded-For"] = str(IPv4Address(next(NETWORKS)))
        case.headers["X-CSRFToken"] = case.cookies[settings.CSRF_COOKIE_NAME] = CSRF_TOKEN
        ends = operation_id(context.operation) in SCENARIO.ending
        if session := next(SCENARIO.spare_sessions) if ends else SCENARIO.session:
            case.cookies[settings.SESSION_COOKIE_NAME] = session
        if SCENARIO.key:
            case.headers["Authorization"] = f"Bearer {SCENARIO.key}"


@schemathesis.hook
def before_add_examples(context: schemathesis.HookContext, examples: list[Case]) -> None:
    operation = context.operation
    assert operation
    for arguments in SCENARIO.examples[operation_id(operation)]:
        if "body" in arguments:
            arguments = {"media_type": next(iter(operation.body)).media_type, **arguments}
        case = operation.Case(**arguments)
        set_on_case(case, schemathesis.AuthContext(operation, None), GLOBAL_AUTH_STORAGE)
        examples.append(case)


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: AssertionError,
    case: Case,
    response: schemathesis.Response,
) -> bool:
    """False for what is right, though the document does not say so."""
    if isinstance(failure, RejectedPositiveData):
        named = SCENARIO.refusals[operation_id(case.operation)]
        return not (_holds_nul(response) or set(_reasons(response)) <= named)
    if isinstance(failure, UseAfterFree):
        return operation_id(case.operation) not in SCENARIO.lasting
    if isinstance(failure, AcceptedNegativeData):
        return not _is_number_for_text(failure, case)
    return True


def _holds_nul(response: schemathesis.Response) -> bool:
    """PostgreSQL stores none, so every text is refused that holds one."""
    sent = response.request
    body = sent.body if isinstance(sent.body, bytes) else b""
    return "%00" in str(sent.url) or b"\\u0000" in body or b"\0" in body


def _is_number_for_text(failure: AcceptedNegativeData, case: Case) -> bool:
    """DRF reads a number where the document asks for a text, and a text of digits for a number."""
    found = re.search(r"in body - (\w+): Incorrect type$", failure.message, re.MULTILINE)
    if not found or not isinstance(case.body, dict):
        return False
    return type(case.body.get(found[1])) in (int, float, str)


def _reasons(response: schemathesis.Response) -> Iterator[str]:
    problem: dict[str, Any] = json.loads(response.content)
    yield from (each["code"] for each in problem.get("errors", [problem]))


def operation_id(operation: schemathesis.APIOperation[Any, Any, Any, Any]) -> str:
    return str(operation.definition.raw["operationId"])
