"""Chromium without a window, spoken to by DevTools' protocol over a pipe.

Weighed: `chromium --screenshot` is one command, but no window is narrower than 500 pixels, so a
phone cannot be shown, and nothing says whether a script failed. Playwright does all of it and
brings a Node of its own, 40 MB, for what is one file here.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Any, Self

_COMMAND = [
    "chromium",
    "--headless",
    "--no-sandbox",  # which it refuses as root; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
    "about:blank",
]
_WAIT = 30.0  # seconds for a page to load


class Browser:
    """One Chromium with a fresh profile; `with` ends it. Exits with a sentence when it is missing.

    `messages` holds what pages wrote to the console and the exceptions of their scripts.
    """

    def __init__(self) -> None:
        self.messages: list[str] = []
        self._number = 0

    def __enter__(self) -> Self:
        if not shutil.which(_COMMAND[0]):
            sys.exit("Chromium is missing: apt-get install chromium")
        self._profile = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # It reads from descriptor 3 and writes to 4, whatever numbers the pipes got here.
        moved = f'exec 3<&{theirs_in} 4>&{theirs_out}; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", moved, "bash", *_COMMAND, f"--user-data-dir={self._profile.name}"],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in = ours_out, ours_in
        self._rest = b""
        self._session = ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        os.close(self._out)  # it ends with its pipe
        self._process.wait(10)
        os.close(self._in)
        self._profile.cleanup()

    def show(
        self,
        width: int,
        height: int = 800,
        *,
        scale: float = 1,
        dark: bool = False,
        script: bool = True,
    ) -> None:
        """Decide how the next pages are drawn: CSS pixels, device pixels for each, colours."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600 and height > width,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Emulation.setScriptExecutionDisabled", value=not script)

    def open(self, url: str) -> None:
        """Load a page. Raises `TimeoutError`."""
        self._call("Page.navigate", url=url)
        deadline = time.monotonic() + _WAIT
        while self._read(deadline).get("method") != "Page.loadEventFired":
            pass

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; a promise is awaited."""
        answer = self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        return answer["result"].get("value")

    def picture(self, *, transparent: bool = False) -> bytes:
        """The whole page as PNG, however long it is."""
        if transparent:
            clear = {"r": 0, "g": 0, "b": 0, "a": 0}
            self._call("Emulation.setDefaultBackgroundColorOverride", color=clear)
        answer = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _WAIT
        while (answer := self._read(deadline)).get("id") != self._number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    def _read(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._in], [], [], left)[0]:
                raise TimeoutError("Chromium did not answer in time.")
            more = os.read(self._in, 1 << 20)
            if not more:
                raise RuntimeError("Chromium ended.")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        told = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.messages.append(str(told["exceptionDetails"].get("exception", {})))
        elif message.get("method") == "Log.entryAdded":
            self.messages.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif message.get("method") == "Runtime.consoleAPICalled":
            self.messages.append(str([one.get("value") for one in told["args"]]))
        return message
