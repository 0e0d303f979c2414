"""Answers of the stand-in services (`stand_ins`): the parts of their interfaces that we use."""

import base64
import hashlib
import json
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from bench.stand_ins import Services

COMMIT = "4c6e2f0b9d1a7c35e8f2b6a0d4c8e1f3a5b7d9c2"
TOKEN = "hf_aTokenThatNobodyMaySee"
DRYAD_TOKEN = "dryadTokenThatNobodyMaySee"
LFS_TOKEN = "RemoteAuthThatNobodyMaySee"


def sha256(content: bytes) -> str:
    """Return the SHA-256 checksum of some content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Handler of one request; `has` holds the services' content."""

    has: "Services"
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Print nothing."""

    def do_GET(self):
        """Answer a GET request."""
        self._answer()

    def do_HEAD(self):
        """Answer a HEAD request, without a body."""
        self._answer()

    def do_POST(self):
        """Read the body of a POST request and answer."""
        self.sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def _answer(self):
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
                self._send(fault.body or b"", fault.status, fault.type, fault.headers)
            else:
                self._route(unquote(url.path), parse_qs(url.query), fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with has.lock:
                has.open -= 1

    def _route(self, path, query, fault):
        kind, _, rest = path.lstrip("/").partition("/")
        routes = {
            "api": self._api,
            "datasets": self._hub_file,
            "cdn": lambda rest, *_: self._file("hub", rest.split("/", 1)[1], fault),
            "geo": self._geo,
            "v2": self._figshare,
            "oauth": self._oauth,
            "raw": self._pointer,
            "github": self._batch,
            "lfs": self._lfs,
            "web": lambda rest, *_: self._file("web", rest, fault),
            "figfiles": lambda rest, *_: self._file("figshare", rest, fault),
        }
        routes.get(kind, lambda *_: self._send(b"", 404))(rest, query, fault)

    # Hugging Face: https://huggingface.co/docs/hub/api, and the requests of huggingface_hub.
    def _api(self, rest, query, fault):
        if rest.startswith("v2/"):
            return self._dryad(rest.removeprefix("v2/"), query, fault)
        if not self._hub_open():
            return None
        has = self.has
        if self.command == "POST" and "/paths-info/" not in rest:
            return self._published(rest)
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
            return self._json(found)
        repository = "/".join(rest.split("/")[1:3])
        return self._json({"id": repository, "sha": has.revision, "siblings": [], "gated": "auto"})

    def _published(self, rest):
        """Create a model's repository or commit files to it, sent inline if they are small."""
        if rest == "repos/create":
            asked = json.loads(self.sent)
            return self._json({"url": f"{self.has.url}/{asked['organization']}/{asked['name']}"})
        if rest == "validate-yaml":
            return self._json({"errors": [], "warnings": []})
        kind, owner, name, what, _ = rest.split("/")
        if what == "preupload":
            asked = json.loads(self.sent)["files"]
            modes = [{"uploadMode": "regular", "shouldIgnore": False, "oid": None} for _ in asked]
            return self._json(
                {"files": [{"path": f["path"], **m} for f, m in zip(asked, modes, strict=True)]}
            )
        for line in map(json.loads, self.sent.splitlines()):
            if line["key"] == "file":
                path, content = line["value"]["path"], line["value"]["content"]
                self.has.files[kind, f"{owner}/{name}/{path}"] = base64.b64decode(content)
        commit = f"{self.has.url}/{owner}/{name}/commit/{COMMIT}"
        return self._json({"commitUrl": commit, "commitOid": COMMIT, "pullRequestUrl": None})

    def _hub_open(self):
        """Whether the token opens the gated data set; if it does not, send the refusal."""
        given = self.headers.get("Authorization")
        if not self.has.token_needed or given == f"Bearer {TOKEN}":
            return True
        code = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to dataset is restricted."}
        self._send(b"{}", 401 if not given else 403, "application/json", code)
        return False

    def _hub_file(self, rest, query, fault):
        if self._hub_open():
            name = rest.split("/resolve/")[1].split("/", 1)[1]
            # A signed address, as from a content delivery network.
            there = (
                f"{self.has.url.replace('127.0.0.1', 'localhost')}/cdn/x/{name}?Signature=secret"
            )
            self._send(b"", 302, headers={"Location": there})

    def _geo(self, rest, query, fault):
        kind, stub, accession, suppl, name = rest.split("/", 4)
        kinds = {"GSM": "samples", "GSE": "series"}
        good = kinds[accession[:3]] == kind and stub == f"{accession[:-3]}nnn" and suppl == "suppl"
        return self._file("geo", f"{accession}/{name}", fault) if good else self._send(b"", 404)

    def _figshare(self, rest, query, fault):
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
        self._json(files[(page - 1) * size : page * size])

    def _dryad(self, rest, query, fault):
        if rest.startswith("datasets/"):
            link = {"stash:version": {"href": "/api/v2/versions/77"}}
            return self._json({"identifier": rest.split("/", 1)[1], "_links": link})
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
            # Two pages, so that the second must be requested.
            page = int(query.get("page", ["1"])[0])
            links = {"next": {"href": "/api/v2/versions/77/files?page=2"}} if page == 1 else {}
            own = files[: len(files) // 2] if page == 1 else files[len(files) // 2 :]
            return self._json({"_embedded": {"stash:files": own}, "_links": links})
        if self.headers.get("Authorization") != f"Bearer {DRYAD_TOKEN}":
            return self._send(b"", 401)
        return self._file("dryad", names[int(rest.split("/")[1])], fault)

    def _oauth(self, rest, query, fault):
        form = parse_qs(self.sent.decode())
        good = form.get("client_secret") == ["aSecretThatNobodyMaySee"]
        self._json({"access_token": DRYAD_TOKEN}) if good else self._send(b"", 401)

    def _pointer(self, rest, query, fault):
        content = self.has.files.get(("git", rest))
        if content is None:
            return self._send(b"404: Not Found", 404)
        lines = ["version https://git-lfs.github.com/spec/v1", f"oid sha256:{sha256(content)}"]
        text = "\n".join([*lines, f"size {len(content)}", ""])
        return self._send(text.encode(), type="text/plain")

    def _batch(self, rest, query, fault):
        (wanted,) = json.loads(self.sent)["objects"]
        there = {sha256(content) for (kind, _), content in self.has.files.items() if kind == "git"}
        if self.headers["Accept"] != "application/vnd.git-lfs+json":
            return self._send(b"", 406)
        if wanted["oid"] not in there:
            item = {**wanted, "error": {"code": 404, "message": "Object does not exist"}}
        else:
            header = {"Authorization": LFS_TOKEN}
            action = {"href": f"{self.has.url}/lfs/{wanted['oid']}", "header": header}
            item = {**wanted, "actions": {"download": action}}
        return self._json({"transfer": "basic", "objects": [item]})

    def _lfs(self, rest, query, fault):
        if self.headers.get("Authorization") != LFS_TOKEN:
            return self._send(b"", 403)
        for (kind, name), content in self.has.files.items():
            if kind == "git" and sha256(content) == rest:
                return self._file(kind, name, fault)
        return self._send(b"", 404)

    def _file(self, service, name, fault):
        """Send a file, whole or from the requested offset if it has not changed since."""
        content = self.has.files.get((service, name))
        if content is None:
            return self._send(b"<html>not found</html>", 404, "text/html")
        etag, start = f'"{sha256(content)[:16]}"', 0
        asked, same = self.headers.get("Range"), self.headers.get("If-Range") in (None, etag)
        if asked and same and self.has.ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                return self._send(b"", 416, headers={"Content-Range": f"bytes */{len(content)}"})
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

    def _json(self, answer):
        self._send(json.dumps(answer).encode(), type="application/json")

    def _send(self, body, status=200, type="application/octet-stream", headers=None):
        self.send_response(status)
        self.send_header("Content-Type", type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
