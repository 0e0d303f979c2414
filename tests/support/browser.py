"""Drive a headless Chromium by its DevTools protocol, over a pipe and without other packages.

A test can open a page, wait, evaluate JavaScript, and read the problems that occurred.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--window-size=1300,1000", "--remote-debugging-pipe"),
    # Every network request fails and is reported.
    "--host-resolver-rules=MAP * ~NOTFOUND",
]


class Page:
    """One tab. `problems` lists console errors, exceptions and failed loads."""

    def __init__(self, to: int, back: int) -> None:
        self.to, self.back = to, back
        self.number, self.rest, self.session = 0, b"", None
        self.problems: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, timeout: float = 60, **params: Any) -> dict:
        """Send a command and wait for its answer, recording problems that occur meanwhile."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            answer = None
            for event in self._read():
                if event.get("id") == self.number:
                    answer = event
                else:  # including events that arrive after the answer
                    self._note(event)
            if answer is not None:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
        raise TimeoutError(f"{method}: no answer within {timeout} s")

    def evaluate(self, expression: str) -> Any:
        """Value of a JavaScript expression, or the resolved value of a promise."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def open(self, path: Path) -> None:
        """Open a file and wait until it has loaded."""
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def resize(self, width: int, height: int = 900, is_phone: bool = False) -> None:
        """Give the window a size; a phone has fingers, and no page there is laid out wider."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setTouchEmulationEnabled", enabled=is_phone)

    def wait(self, condition: str, timeout: float = 60) -> None:
        """Wait until an expression is true."""
        self._until(lambda: self.evaluate(condition), f"not true: {condition}", timeout)

    def noticed(self, words: str, timeout: float = 60) -> None:
        """Wait until a problem with these words has been reported."""

        def reported() -> bool:
            self.evaluate("1")  # its answer also brings new events
            return any(words in problem for problem in self.problems)

        self._until(reported, f"no such problem was reported: {words}", timeout)

    def _until(self, ready: Callable[[], Any], lacking: str, timeout: float) -> None:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if ready():
                return
            time.sleep(0.1)
        raise TimeoutError(f"within {timeout} s {lacking}")

    def _read(self) -> list[dict]:
        *whole, self.rest = (self.rest + os.read(self.back, 1 << 20)).split(b"\0")
        return [json.loads(message) for message in whole]

    def _note(self, event: dict) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "assert"):
                words = [str(own.get("value", own.get("description"))) for own in params["args"]]
                self.problems.append(" ".join(words))
            case "Runtime.exceptionThrown":
                self.problems.append(json.dumps(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.problems.append(params["entry"]["text"])
            case "Network.loadingFailed" if not params.get("canceled"):
                self.problems.append(f"failed to load: {params['errorText']}")


def chromium() -> str | None:
    """Path of the browser, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def opened(profile: Path) -> Iterator[Page]:
    """Start a browser with a new profile folder, yield its tab, and stop it at the end."""
    to_browser, to = os.pipe()
    back, from_browser = os.pipe()

    def hand_over() -> None:
        # The browser reads commands from descriptor 3 and answers on 4.
        one, two = os.dup(to_browser), os.dup(from_browser)
        os.dup2(one, 3)
        os.dup2(two, 4)

    browser = subprocess.Popen(
        [str(chromium()), *QUIET, f"--user-data-dir={profile}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=hand_over,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        yield Page(to, back)
    finally:
        browser.terminate()
        browser.wait(30)
        os.close(to)
        os.close(back)
