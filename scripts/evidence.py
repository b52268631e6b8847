"""Write docs/evidence.md: what a clean clone of HEAD does on this machine, as a transcript.

`python scripts/evidence.py` clones the committed state into a temporary folder and types what a
newcomer would type, under `env -i`: `make demo`, a few requests, Ctrl-C, `make test`. Nothing is
written when a step does not end as it should.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "evidence.md"
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
REQUEST_ID = "evidence-0001"
BASE = "http://localhost:8000"
SECRETS = re.compile(r'"csrf_token":"[^"]+"|X-CSRFToken: \w+')
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Transcript:
    """The lines of a shell session, and the shell itself."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.lines: list[str] = []

    def run(self, command: str, *, keep: int = 12, shown: str = "") -> str:
        """Run a command, note it and the end of what it prints. Exits when it fails."""
        printed = []
        with subprocess.Popen(
            ["sh", "-c", f"exec 2>&1; {command}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                sys.stderr.write(line)  # a run takes an hour: whoever waits sees how far it is
                printed.append(line)
        output = "".join(printed)
        if process.returncode:
            sys.exit(f"{command} ended with {process.returncode}; nothing was written.")
        self.note(f"$ {shown or command}", *output.rstrip().splitlines()[-keep:])
        return output

    def note(self, *lines: str) -> None:
        self.lines += [SECRETS.sub("…", COLOUR.sub("", line))[:240] for line in lines]


def main() -> None:
    keep = {
        name: os.environ[name] for name in ("HOME", "PATH", *CERTIFICATES) if name in os.environ
    }
    DOCUMENT.parent.mkdir(exist_ok=True)
    commit = _git("rev-parse", "--short", "HEAD")
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        clone = Path(folder) / "template"
        _git("clone", "--quiet", str(ROOT), str(clone))
        demo = Transcript(clone, keep)
        _demo(demo)
        test = Transcript(clone, {**keep, "CI": "true"})
        started = time.monotonic()
        test.run("make test", keep=1)
        minutes = (time.monotonic() - started) / 60
    DOCUMENT.write_text(
        PAGE
        % {
            "commit": commit,
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
            "demo": "\n".join(demo.lines),
            "test": "\n".join(test.lines),
            "minutes": f"{minutes:.1f}",
        }
        + _drills()
    )


def _drills() -> str:
    """The section of the drills as it is, which `make drills TABLE=1` in a service measures."""
    text = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    _, heading, drills = text.partition("\n## Drills\n")
    return heading + drills


def _demo(transcript: Transcript) -> None:
    log = transcript.folder / "demo.log"
    started = time.monotonic()
    with log.open("wb") as output:
        demo = subprocess.Popen(
            ["make", "demo"],
            cwd=transcript.folder,
            env=transcript.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(log, "The service answers at", demo)
        seconds = time.monotonic() - started
        ours = _without_prefix(log)
        begin = next(n for n, line in enumerate(ours) if line.startswith("Wrote .env"))
        transcript.note(
            "$ make demo", f"… (the installation; {seconds:.0f} s in all)", *ours[begin:]
        )
        _requests(transcript)
        wanted = ("receipt sent", "task succeeded")
        for word in wanted:
            _wait_for(log, word, demo)
        lines = log.read_text().splitlines()
        transcript.note(
            f"… and in the terminal of make demo, the lines with {REQUEST_ID}:",
            *(COLOUR.sub("", line) for line in lines if REQUEST_ID in line),
        )
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(demo.pid, signal.SIGINT)
    transcript.note(f"^C (make ends with {demo.wait(timeout=60)})")
    left = subprocess.run(
        ["pgrep", "-af", str(transcript.folder)], capture_output=True, text=True, check=False
    ).stdout
    if left:
        sys.exit(f"left behind after Ctrl-C:\n{left}")
    transcript.note(f"$ pgrep -af {transcript.folder.parent.name} | wc -l", "0")


def _requests(transcript: Transcript) -> None:
    text = """sed -n '/<h1>/,/id="queues"/p' | sed 's/<[^>]*>//g; s/^ *//' | grep ."""
    page = transcript.run(f"curl -sf {BASE}/ | {text}", keep=40)
    if page.count("answers") != 3:
        sys.exit(f"a dependency does not answer: {page}")
    for url in (f"{BASE}/livez", f"{BASE}/readyz", "http://localhost:9464/readyz"):
        transcript.run(f"curl -sf {url}")
    session = f"curl -sf -b jar -c jar {BASE}/api/v1/session/"
    token = json.loads(transcript.run(session))["csrf_token"]
    login = json.dumps({"email": "demo@example.org", "password": "demo-password"})
    post = "curl -sf -b jar -c jar -H 'Content-Type: application/json' -H 'X-CSRFToken: %s'"
    answer = transcript.run(f"{post % token} -d '{login}' {BASE}/api/v1/session/")
    token = json.loads(answer)["csrf_token"]
    order = json.dumps({"lines": [{"product": 1, "quantity": 2}]})
    placed = json.loads(transcript.run(f"{post % token} -d '{order}' {BASE}/api/v1/orders/"))
    pay = f"{BASE}/api/v1/orders/{placed['id']}/payment/"
    paid = transcript.run(f"{post % token} -H 'X-Request-ID: {REQUEST_ID}' -d '' {pay}")
    if json.loads(paid)["status"] != "paid":
        sys.exit(f"the order was not paid: {paid}")


def _wait_for(log: Path, words: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 600
    while words not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{log.read_text()[-2000:]}\nno line says {words!r}; nothing was written.")
        time.sleep(0.1)


def _without_prefix(log: Path) -> list[str]:
    """What `make run` says itself, without the lines of its processes."""
    lines = log.read_text().splitlines()
    return [
        line for line in lines if not re.match(r"(web|worker|beat|relay) +\|", COLOUR.sub("", line))
    ]


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


PAGE = """\
# Evidence

Written by `python scripts/evidence.py` from a clean clone of `%(commit)s`, under `env -i` with
`HOME`, `PATH` and the certificate variables, on %(machine)s. Run it to see the same here.

## From nothing to a paid order

```console
%(demo)s
```

## Everything CI runs

`make test` tests the template, bakes the default service, commits it, and runs the `make check` and
`make test` of that service with nothing skipped. It took %(minutes)s minutes.

```console
%(test)s
```
"""

if __name__ == "__main__":
    main()
