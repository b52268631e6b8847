"""Ceph's S3 gateway on one SQLite file: a server that refuses a forged, changed or late signature.

moto and s3rver accept forgeries, so a test that passes against them proves no signing. Releases
from 18 on need no cluster (`dbstore`, experimental upstream: a test double, not for production).
Debian 12 has 16: `python -m scripts.servers.radosgw` unpacks the package and its libraries into the
user's cache, without root and without touching the system's own packages.
"""

from __future__ import annotations

import http.client
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.servers.process import Process, ServerError
from scripts.servers.server import HOST, Server

INSTALL = "python -m scripts.servers.radosgw"
RELEASE = 18  # the first that runs without a cluster
_NEWER = "trixie"  # where Debian has it, for a machine whose own release does not
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Needed by the package's scripts and by other tools of Ceph, not by the gateway.
_UNUSED = re.compile(r"(lib)?python3|login|passwd|perl|tzdata|ceph-base|libcephfs")
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "service-test-servers"


def _unpacked() -> Path:
    return _CACHE / f"radosgw-{RELEASE}-{platform.machine()}"


def find_radosgw() -> Path | None:
    """The folder of the unpacked gateway, or None."""
    folder = _unpacked()
    return folder if (folder / "usr" / "bin" / "radosgw").exists() else None


def install() -> Path:
    """Unpack the gateway, 84 MB of packages, and return its folder. Raises `ServerError`.

    apt verifies the packages as for an installation; its lists and its downloads are private.
    """
    if found := find_radosgw():
        return found
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise ServerError("radosgw is unpacked from the packages of Debian or Ubuntu: no apt here.")
    _CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as name:
        work = Path(name)
        root = work / "root"
        root.mkdir()
        policy = _run(["apt-cache", "policy", "radosgw"], env={**os.environ, "LC_ALL": "C"})
        candidate = re.search(r"Candidate: (?:\d+:)?(\d+)\.", policy)
        newer = not candidate or int(candidate[1]) < RELEASE
        for package in download("radosgw", work, newer=newer):
            if not _UNUSED.match(package.name):
                _run(["dpkg-deb", "--extract", str(package), str(root)])
        shutil.rmtree(root / "usr" / "share", ignore_errors=True)
        try:
            root.rename(_unpacked())  # whole or not at all; another run may have been faster
        except OSError:
            if not find_radosgw():
                raise
    return _unpacked()


def download(name: str, work: Path, *, newer: bool) -> list[Path]:
    """A package and all it needs, as if nothing were installed, into `work`.

    From this machine's release, or from `_NEWER` of Debian. Raises `ServerError`.
    """
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    configuration = work / "apt.conf"
    private = [
        f'Dir::State "{work}"; Dir::State::Lists "{work}/lists"; Dir::Cache "{work}/cache";',
        f'Dir::State::status "{work}/status"; Acquire::Languages "none";',
        'APT::Install-Recommends "false"; APT::Sandbox::User "";',
    ]
    apt = {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C"}
    configuration.write_text("\n".join(private))
    if newer:
        (work / "sources.list").write_text(
            f"deb [signed-by={_KEYRING}] {debian_mirror()} {_NEWER} main\n"
        )
        private += [
            f'Dir::Etc::SourceList "{work}/sources.list"; Dir::Etc::SourceParts "/dev/null";'
        ]
        configuration.write_text("\n".join(private))
    _run(["apt-get", "-qq", "update"], env=apt)
    _run(["apt-get", "-qq", "install", "--yes", "--download-only", name], env=apt)
    return sorted((work / "cache" / "archives").glob("*.deb"))


def debian_mirror() -> str:
    """The mirror of Debian that this machine uses."""
    if not _KEYRING.exists():
        raise ServerError(f"{_KEYRING} is missing: apt-get install debian-archive-keyring")
    found = _run(
        ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]
    )
    for line in found.splitlines():
        label, _, address = line.partition(" ")
        if label == "Debian":
            return address
    raise ServerError("apt knows no mirror of Debian: run apt-get update first.")


def _run(command: list[str], env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


class RadosGateway(Server):
    """The gateway with one user, `access_key`, who owns every bucket. It forgets nothing."""

    name = "radosgw"

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        super().__init__(directory, port)
        self.access_key = "TEST" + secrets.token_hex(8).upper()
        self.secret_key = secrets.token_hex(20)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def add_user(self, name: str) -> dict[str, str]:
        """Another user, who owns nothing; the keys, by boto3's names."""
        root = find_radosgw()
        if root is None:
            raise ServerError("radosgw is not unpacked")
        access, secret = "TEST" + secrets.token_hex(8).upper(), secrets.token_hex(20)
        command = self._program(root, self.directory / "ceph.conf", "radosgw-admin")
        keys = [f"--access-key={access}", f"--secret-key={secret}"]
        _run([*command, "user", "create", f"--uid={name}", f"--display-name={name}", *keys], env={})
        return {"aws_access_key_id": access, "aws_secret_access_key": secret}

    def _prepare(self) -> Process:
        root = find_radosgw()
        if root is None:
            raise ServerError(f"radosgw is not installed: {INSTALL}")
        data = self.directory / "data"
        configuration = self.directory / "ceph.conf"
        known = data.exists()
        data.mkdir(mode=0o700, exist_ok=True)
        configuration.write_text(
            "[global]\n"
            "auth_cluster_required = none\nauth_service_required = none\n"
            "auth_client_required = none\nlog_to_file = false\nlog_to_stderr = true\n"
            f"err_to_stderr = true\nrun_dir = {self.directory}\nadmin_socket =\n"
            "keyring = /dev/null\n"
            "[client.rgw]\n"
            f"rgw_data = {data}\nrgw_backend_store = dbstore\nrgw_config_store = dbstore\n"
            f"dbstore_db_dir = {data}\ndbstore_config_uri = file:{data}/config.db\n"
            f"rgw_frontends = beast endpoint={HOST}:{self.port}\nrgw_thread_pool_size = 16\n"
            "rgw_enable_gc_threads = false\nrgw_enable_lc_threads = false\n"
        )
        if not known:
            user = [f"--access-key={self.access_key}", f"--secret-key={self.secret_key}"]
            command = self._program(root, configuration, "radosgw-admin")
            _run([*command, "user", "create", "--uid=app", "--display-name=app", *user], env={})
        command = self._program(root, configuration, "radosgw")
        return Process(self.name, [*command, "-f"], output=self.log, env={})

    def _program(self, root: Path, configuration: Path, name: str) -> list[str]:
        """With the packages' own loader and libraries: the machine's may be older."""
        libraries = next((root / "usr" / "lib").glob("*-linux-gnu*"))
        loader = next(libraries.glob("ld-linux*.so.*"))
        return [
            *(str(loader), "--library-path", f"{libraries}:{libraries}/ceph"),
            *(str(root / "usr" / "bin" / name), "--no-mon-config", "-n", "client.rgw"),
            *("-c", str(configuration)),
        ]

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=1)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


if __name__ == "__main__":
    try:
        print(install())
    except ServerError as error:
        sys.exit(str(error))
