"""Which lines are written, and which process they say they come from."""

import logging
from types import SimpleNamespace

import pytest
from django.core.exceptions import DisallowedHost
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.log import log_response

from core.logs.configuration import logging_config
from core.logs.gunicorn import Logger
from core.logs.role import role_of
from tests.logged import logged


def test_a_4xx_is_left_to_the_access_line() -> None:
    request = RequestFactory().get("/missing/")
    with logged() as lines:
        log_response("Not Found: %s", request.path, response=HttpResponse(status=404))
    assert lines.json == []


def test_a_5xx_without_a_traceback_is_left_to_the_access_line() -> None:
    with logged() as lines:
        log_response("Unavailable: %s", "/", response=HttpResponse(status=503))
    assert lines.json == []


def test_a_500_prints_its_traceback() -> None:
    response = HttpResponse(status=500)
    with logged() as lines:
        log_response("Internal Server Error: %s", "/", response=response, exception=KeyError("x"))
    (line,) = lines.json
    assert (line["logger"], line["level"]) == ("django.request", "error")
    assert line["exception"] == "KeyError: 'x'"


def test_a_foreign_host_header_rings_no_alarm() -> None:
    with logged() as lines:
        logging.getLogger("django.security.DisallowedHost").error(str(DisallowedHost("evil.test")))
    assert lines.json == []


@pytest.mark.parametrize("name", ["django", "django.server", "gunicorn.error", "uvicorn.error"])
def test_a_library_with_handlers_of_its_own_writes_once(name: str) -> None:
    with logged() as lines:
        logging.getLogger(name).warning("once")
    assert [line["message"] for line in lines.json] == ["once"]
    assert logging.getLogger(name).handlers == []


def test_no_logger_that_exists_is_disabled_and_nothing_is_mailed() -> None:
    config = logging_config(level="INFO", service="shop", release="r1", readable=False)
    assert config["disable_existing_loggers"] is False
    assert list(config["handlers"]) == ["stdout"]
    assert config["root"] == {"handlers": ["stdout"], "level": "INFO"}


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("/venv/bin/gunicorn --config config/gunicorn.py config.wsgi:application", "web"),
        ("/venv/lib/gunicorn/__main__.py config.wsgi", "web"),
        ("/venv/bin/uvicorn config.asgi:application", "asgi"),
        ("/srv/config/asgi.py", "asgi"),
        ("/venv/bin/celery -A config.celery --quiet worker --queues low", "worker"),
        ("/venv/bin/celery -A config.celery --quiet beat", "beat"),
        ("/venv/bin/celery -A config.celery inspect ping", "celery"),
        ("manage.py migrate --no-input", "migrate"),
        ("manage.py", "manage"),
        ("", "python"),
    ],
)
def test_the_command_line_tells_the_role(command: str, role: str) -> None:
    assert role_of(command.split()) == role


def gunicorn_logger() -> Logger:
    return Logger(SimpleNamespace(loglevel="info", accesslog="-", errorlog="-"))


def test_gunicorns_lines_are_lines_like_all_others() -> None:
    logger = gunicorn_logger()
    with logged() as lines:
        logger.info("Booting worker with pid: %s", 7)
        logger.critical("WORKER TIMEOUT (pid:%s)", 7)
    assert [line["message"] for line in lines.json] == [
        "Booting worker with pid: 7",
        "WORKER TIMEOUT (pid:7)",
    ]


def test_gunicorn_follows_the_level_of_the_service() -> None:
    logger = gunicorn_logger()
    with logged(level="WARNING") as lines:
        logger.info("Booting")
    assert lines.json == []


def test_gunicorn_writes_no_access_log() -> None:
    logger = gunicorn_logger()
    assert not logger.access_log_enabled
    with logged() as lines:
        logger.access(None, None, {}, None)
    assert lines.json == []


@pytest.mark.parametrize("uri", ["/pay?token=secret", "//[broken?token=secret"])
def test_gunicorn_logs_no_query_string_with_a_traceback(uri: str) -> None:
    logger = gunicorn_logger()
    with logged() as lines:
        try:
            raise OSError
        except OSError:
            logger.exception("Error handling request %s", uri)
    (line,) = lines.json
    assert "OSError" in line["exception"]
    assert uri.partition("?")[0] in line["message"]
    assert "secret" not in lines.text
