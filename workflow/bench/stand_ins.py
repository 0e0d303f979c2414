"""Local stand-ins for the download services; they answer as the real ones do.

Tests and the rehearsal of the full run use them.

One server stands in for all services; `Services.files` holds the content of each. A fault replaces
the answer for a path once, or as often as it says.
"""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer

from bench.stand_in_answers import COMMIT, TOKEN, Handler


@dataclass
class Fault:
    """A faulty answer to requests for a path, given before the correct one."""

    status: int = 200
    times: int = 1
    headers: dict = field(default_factory=dict)
    body: bytes | None = None
    drop_after: int | None = None  # bytes after which the connection breaks
    pause: float = 0.0  # seconds between blocks
    type: str = "application/octet-stream"


class Services:
    """Content of the services, and the requests that they received.

    Attributes
    ----------
    files
        Content by (service, path): `hub` (path in the data set), `geo` (ACCESSION/FILE), `web`
        (any), `figshare` (ARTICLE/FILE), `dryad` (DOI/FILE), `git` (OWNER/NAME/COMMIT/PATH), and
        uploads: `models` (OWNER/NAME/PATH).
    faults
        Faults by the request's path as sent, without the query.
    asked
        (path, headers) of every request.
    """

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.faults: dict[str, Fault] = {}
        self.asked: list[tuple[str, dict]] = []
        self.open = self.most_open = 0
        self.token_needed = True
        self.revision = COMMIT
        self.ranges = True
        self.lock = threading.Lock()
        self.url = ""

    def environment(self) -> dict[str, str]:
        """Environment variables that make the workflow use these services, not the real ones."""
        return {
            "HF_ENDPOINT": self.url,
            "GEO_ENDPOINT": f"{self.url}/geo",
            "DRYAD_ENDPOINT": self.url,
            "FIGSHARE_ENDPOINT": self.url,
            "GITHUB_RAW_ENDPOINT": f"{self.url}/raw",
            "GITHUB_ENDPOINT": f"{self.url}/github",
            "HF_TOKEN": TOKEN,
            "DRYAD_CLIENT_ID": "anId",
            "DRYAD_CLIENT_SECRET": "aSecretThatNobodyMaySee",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "no_proxy": "127.0.0.1",
        }

    def paths(self, part: str) -> list[str]:
        """Return the requested paths that contain `part`, in order."""
        return [path for path, _ in self.asked if part in path]

    def ranges_asked(self, part: str) -> list[str | None]:
        """Return the Range header of each request for a path that contains `part`."""
        return [headers.get("range") for path, headers in self.asked if part in path]


@contextmanager
def serving():
    """Run the services while the context is open."""
    services = Services()

    class Own(Handler):
        has = services

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_):
            pass

    with Server(("127.0.0.1", 0), Own) as server:
        services.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield services
        finally:
            server.shutdown()
            thread.join()
