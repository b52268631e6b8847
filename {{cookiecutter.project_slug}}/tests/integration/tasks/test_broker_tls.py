"""A broker that is reached by TLS must prove who it is."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import BASE_DIR, STACK, clean_environment

HOST = "127.0.0.1"
PUBLISH = "import django; django.setup(); from tests.testapp.tasks import say; say.delay('secret')"


class Impostor:
    """A TLS server whose certificate nobody signed; `heard` is what clients told it."""

    def __init__(self, folder: Path) -> None:
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
                *("ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=impostor"),
                *("-addext", f"subjectAltName=IP:{HOST}", "-keyout", key, "-out", certificate),
            ],
            check=True,
            capture_output=True,
        )
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.heard = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with client:
                client.settimeout(5)
                try:
                    with self._context.wrap_socket(client, server_side=True) as session:
                        self.heard += session.recv(1000)
                except OSError:
                    continue


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Impostor]:
    server = Impostor(tmp_path)
    yield server
    server.close()


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
def test_a_server_with_a_certificate_that_nobody_signed_hears_nothing(
    impostor: Impostor, scheme: str
) -> None:
    url = f"{scheme}://user:password@{HOST}:{impostor.port}/0"
    variables = STACK.variables | {"BROKER_URL": url}
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH],
        env=clean_environment(
            **variables,
            DJANGO_SETTINGS_MODULE="config.settings.staging",
            SERVICE_NAME="service",
            SECRET_KEY="".join(map(chr, range(40, 120))),
            ALLOWED_HOSTS="service.test",
            ADMIN_HOST="admin.service.test",
            FORWARDED_ALLOW_IPS=HOST,
            EMAIL_URL="smtp://localhost",
            DEFAULT_FROM_EMAIL="service@service.test",
            S3_BUCKET="service-media",
            S3_ENDPOINT_URL=f"https://{HOST}",
        ),
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert impostor.connections > 0, done.stdout + done.stderr
    assert impostor.heard == b""
    assert "certificate verify failed" in done.stdout
