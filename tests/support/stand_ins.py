"""Services that files are fetched from, on this machine: they answer as the real ones do.

One server speaks for all of them; `Services.files` holds what each has. A fault is put in the way
of a path once, or as often as it says.
"""

import base64
import hashlib
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "4c6e2f0b9d1a7c35e8f2b6a0d4c8e1f3a5b7d9c2"
TOKEN = "hf_aTokenThatNobodyMaySee"
DRYAD_TOKEN = "dryadTokenThatNobodyMaySee"
LFS_TOKEN = "RemoteAuthThatNobodyMaySee"


@dataclass
class Fault:
    """What happens to requests for a path before it is served as it should be."""

    status: int = 200
    times: int = 1
    headers: dict = field(default_factory=dict)
    body: bytes | None = None
    drop_after: int | None = None  # bytes, after which the connection breaks
    pause: float = 0.0  # seconds between blocks
    type: str = "application/octet-stream"


class Services:
    """The services' content, and what was asked of them.

    Attributes
    ----------
    files
        Content by (service, path): `hub` (path in the data set), `geo` (ACCESSION/FILE), `web`
        (any), `figshare` (ARTICLE/FILE), `dryad` (DOI/FILE), `git` (OWNER/NAME/COMMIT/PATH), and
        what was uploaded: `models` (OWNER/NAME/PATH).
    faults
        By the path of a request, as it is on the wire, without the query.
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
        """Variables under which the workflow takes these services for the real ones."""
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
        """Paths asked for that contain `part`, in order."""
        return [path for path, _ in self.asked if part in path]

    def ranges_asked(self, part: str) -> list[str | None]:
        """The Range of each request for a path that contains `part`."""
        return [headers.get("range") for path, headers in self.asked if part in path]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def serving():
    """The services, while they run."""
    services = Services()

    class Handler(_Handler):
        has = services

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_):
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        services.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield services
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    has: Services
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def do_POST(self):
        self.sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer()

    def answer(self):
        has, url = self.has, urlsplit(self.path)
        with has.lock:
            has.asked.append((url.path, {k.lower(): v for k, v in self.headers.items()}))
            has.open += 1
            has.most_open = max(has.most_open, has.open)
            fault = has.faults.get(url.path)
            if fault:
                fault.times -= 1
                if fault.times <= 0:
                    del has.faults[url.path]
        try:
            if fault and fault.drop_after is None and not fault.pause:
                self.send(fault.body or b"", fault.status, fault.type, fault.headers)
            else:
                self.route(unquote(url.path), parse_qs(url.query), fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with has.lock:
                has.open -= 1

    def route(self, path, query, fault):
        kind, _, rest = path.lstrip("/").partition("/")
        routes = {
            "api": self.api,
            "datasets": self.hub_file,
            "cdn": lambda rest, *_: self.file("hub", rest.split("/", 1)[1], fault),
            "geo": self.geo,
            "v2": self.figshare,
            "oauth": self.oauth,
            "raw": self.pointer,
            "github": self.batch,
            "lfs": self.lfs,
            "web": lambda rest, *_: self.file("web", rest, fault),
            "figfiles": lambda rest, *_: self.file("figshare", rest, fault),
        }
        routes.get(kind, lambda *_: self.send(b"", 404))(rest, query, fault)

    # Hugging Face: https://huggingface.co/docs/hub/api, and what huggingface_hub asks.
    def api(self, rest, query, fault):
        if rest.startswith("v2/"):
            return self.dryad(rest.removeprefix("v2/"), query, fault)
        if not self.hub_open():
            return None
        has = self.has
        if self.command == "POST" and "/paths-info/" not in rest:
            return self.published(rest)
        if "/paths-info/" in rest:
            wanted = parse_qs(self.sent.decode())["paths"]
            found = [
                {
                    "type": "file",
                    "path": name,
                    "size": len(has.files["hub", name]),
                    "oid": "0" * 40,
                    "lfs": {
                        "oid": sha256(has.files["hub", name]),
                        "size": len(has.files["hub", name]),
                        "pointerSize": 134,
                    },
                }
                for name in wanted
                if ("hub", name) in has.files
            ]
            return self.json(found)
        repository = "/".join(rest.split("/")[1:3])
        return self.json({"id": repository, "sha": has.revision, "siblings": [], "gated": "auto"})

    def published(self, rest):
        """A model's repository made, and files committed to it, small enough to be sent inline."""
        if rest == "repos/create":
            asked = json.loads(self.sent)
            return self.json({"url": f"{self.has.url}/{asked['organization']}/{asked['name']}"})
        if rest == "validate-yaml":
            return self.json({"errors": [], "warnings": []})
        kind, owner, name, what, _ = rest.split("/")
        if what == "preupload":
            asked = json.loads(self.sent)["files"]
            modes = [{"uploadMode": "regular", "shouldIgnore": False, "oid": None} for _ in asked]
            return self.json(
                {"files": [{"path": f["path"], **m} for f, m in zip(asked, modes, strict=True)]}
            )
        for line in map(json.loads, self.sent.splitlines()):
            if line["key"] == "file":
                path, content = line["value"]["path"], line["value"]["content"]
                self.has.files[kind, f"{owner}/{name}/{path}"] = base64.b64decode(content)
        commit = f"{self.has.url}/{owner}/{name}/commit/{COMMIT}"
        return self.json({"commitUrl": commit, "commitOid": COMMIT, "pullRequestUrl": None})

    def hub_open(self):
        """Whether the token is good for the gated set; if not, it has been refused."""
        given = self.headers.get("Authorization")
        if not self.has.token_needed or given == f"Bearer {TOKEN}":
            return True
        code = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to dataset is restricted."}
        self.send(b"{}", 401 if not given else 403, "application/json", code)
        return False

    def hub_file(self, rest, query, fault):
        if self.hub_open():
            name = rest.split("/resolve/")[1].split("/", 1)[1]
            # A signature in the query, as of a content delivery network.
            there = (
                f"{self.has.url.replace('127.0.0.1', 'localhost')}/cdn/x/{name}?Signature=secret"
            )
            self.send(b"", 302, headers={"Location": there})

    def geo(self, rest, query, fault):
        kind, stub, accession, suppl, name = rest.split("/", 4)
        kinds = {"GSM": "samples", "GSE": "series"}
        good = kinds[accession[:3]] == kind and stub == f"{accession[:-3]}nnn" and suppl == "suppl"
        return self.file("geo", f"{accession}/{name}", fault) if good else self.send(b"", 404)

    def figshare(self, rest, query, fault):
        article = rest.split("/")[1]
        names = [name for service, name in self.has.files if service == "figshare"]
        files = [
            {
                "id": number,
                "name": name.split("/", 1)[1],
                "size": len(self.has.files["figshare", name]),
                "is_link_only": False,
                "download_url": f"{self.has.url}/figfiles/{name}",
                "computed_md5": hashlib.md5(self.has.files["figshare", name]).hexdigest(),
                "supplied_md5": "",
            }
            for number, name in enumerate(names)
            if name.startswith(f"{article}/")
        ]
        page, size = int(query["page"][0]), int(query["page_size"][0])
        self.json(files[(page - 1) * size : page * size])

    def dryad(self, rest, query, fault):
        if rest.startswith("datasets/"):
            link = {"stash:version": {"href": "/api/v2/versions/77"}}
            return self.json({"identifier": rest.split("/", 1)[1], "_links": link})
        names = [name for service, name in self.has.files if service == "dryad"]
        if rest == "versions/77/files":
            files = [
                {
                    "path": name.split("/", 2)[2],
                    "size": len(self.has.files["dryad", name]),
                    "digest": sha256(self.has.files["dryad", name]),
                    "digestType": "sha-256",
                    "_links": {"stash:download": {"href": f"/api/v2/files/{number}/download"}},
                }
                for number, name in enumerate(names)
            ]
            # Two pages, so that the second is asked for.
            page = int(query.get("page", ["1"])[0])
            links = {"next": {"href": "/api/v2/versions/77/files?page=2"}} if page == 1 else {}
            own = files[: len(files) // 2] if page == 1 else files[len(files) // 2 :]
            return self.json({"_embedded": {"stash:files": own}, "_links": links})
        if self.headers.get("Authorization") != f"Bearer {DRYAD_TOKEN}":
            return self.send(b"", 401)
        return self.file("dryad", names[int(rest.split("/")[1])], fault)

    def oauth(self, rest, query, fault):
        form = parse_qs(self.sent.decode())
        good = form.get("client_secret") == ["aSecretThatNobodyMaySee"]
        self.json({"access_token": DRYAD_TOKEN}) if good else self.send(b"", 401)

    def pointer(self, rest, query, fault):
        content = self.has.files.get(("git", rest))
        if content is None:
            return self.send(b"404: Not Found", 404)
        lines = ["version https://git-lfs.github.com/spec/v1", f"oid sha256:{sha256(content)}"]
        text = "\n".join([*lines, f"size {len(content)}", ""])
        return self.send(text.encode(), type="text/plain")

    def batch(self, rest, query, fault):
        (wanted,) = json.loads(self.sent)["objects"]
        there = {sha256(content) for (kind, _), content in self.has.files.items() if kind == "git"}
        if self.headers["Accept"] != "application/vnd.git-lfs+json":
            return self.send(b"", 406)
        if wanted["oid"] not in there:
            item = {**wanted, "error": {"code": 404, "message": "Object does not exist"}}
        else:
            header = {"Authorization": LFS_TOKEN}
            action = {"href": f"{self.has.url}/lfs/{wanted['oid']}", "header": header}
            item = {**wanted, "actions": {"download": action}}
        return self.json({"transfer": "basic", "objects": [item]})

    def lfs(self, rest, query, fault):
        if self.headers.get("Authorization") != LFS_TOKEN:
            return self.send(b"", 403)
        for (kind, name), content in self.has.files.items():
            if kind == "git" and sha256(content) == rest:
                return self.file(kind, name, fault)
        return self.send(b"", 404)

    def file(self, service, name, fault):
        """A file, whole or from where it was asked for, if it is still the same."""
        content = self.has.files.get((service, name))
        if content is None:
            return self.send(b"<html>not found</html>", 404, "text/html")
        etag, start = f'"{sha256(content)[:16]}"', 0
        asked, same = self.headers.get("Range"), self.headers.get("If-Range") in (None, etag)
        if asked and same and self.has.ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                return self.send(b"", 416, headers={"Content-Range": f"bytes */{len(content)}"})
        self.send_response(206 if start else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return None
        end = len(content) if not fault or fault.drop_after is None else start + fault.drop_after
        step = len(content) if not fault or not fault.pause else max(1, len(content) // 50)
        for at in range(start, min(end, len(content)), step):
            self.wfile.write(content[at : min(at + step, end)])
            self.wfile.flush()
            if fault and fault.pause:
                time.sleep(fault.pause)
        if end < len(content):
            self.close_connection = True
        return None

    def json(self, answer):
        self.send(json.dumps(answer).encode(), type="application/json")

    def send(self, body, status=200, type="application/octet-stream", headers=None):
        self.send_response(status)
        self.send_header("Content-Type", type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
