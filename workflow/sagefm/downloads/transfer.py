"""Transfer files and answers over HTTP: interrupted ones resume, and contents are checked."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from filelock import FileLock, Timeout

from sagefm.common.errors import InputError
from sagefm.common.io import full_disk
from sagefm.common.progress import progress_bar
from sagefm.downloads.retry import PASSING_STATUS, PassingError, persist, retry_after
from sagefm.downloads.sources.base import Remote

TIMEOUT = (30, 120)
"""Seconds to connect, and between two packets."""

BLOCK = 1 << 16
"""Bytes written at a time, and the most that are lost if a connection breaks off."""

NAMED_AGENT = {"User-Agent": "sagefm-workflow (+https://arxiv.org/abs/2601.15504)"}

_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


def shown(url: str) -> str:
    """Return a URL without its query, which may contain a signature and must not be logged."""
    return url.partition("?")[0]


def get_json(url: str) -> Any:
    """Return the JSON answer of a URL, retrying if that may help.

    Raises
    ------
    InputError
        If the request is refused, the URL does not exist, or the answer is not JSON.
    """
    return _json(_answer("GET", url), url)


def post_json(url: str, **body: Any) -> Any:
    """Return the JSON answer to a POST request with options of `requests.post`; see `get_json`."""
    return _json(_answer("POST", url, **body), url)


def get_text(url: str, largest: int) -> str:
    """Return the text at a URL, reading at most `largest` bytes; see `get_json`."""
    return _answer("GET", url, largest=largest)[:largest].decode(errors="replace")


def _json(content: bytes, url: str) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise InputError(f"{shown(url)}: the answer is not JSON. Fix: try again later.") from error


def _answer(method: str, url: str, largest: int | None = None, **given: Any) -> bytes:
    def once() -> bytes:
        with _opened(method, url, **given) as response:
            if largest is None:
                return response.content
            return next(response.iter_content(largest), b"")

    return persist(once, shown(url))


@contextmanager
def _opened(method: str, url: str, **given: Any) -> Iterator[requests.Response]:
    """Yield a successful response; raise failures as `PassingError` or `InputError`.

    requests takes proxies from the environment, follows redirects, and sends an `Authorization`
    header to no other host.
    """
    headers = {**NAMED_AGENT, **given.pop("headers", {})}
    try:
        with requests.request(
            method, url, headers=headers, timeout=TIMEOUT, stream=True, **given
        ) as response:
            _refuse(response, url)
            yield response
    except requests.exceptions.SSLError as error:
        raise InputError(
            f"{shown(url)}: the certificate of {urlsplit(url).hostname} is not trusted here. "
            "Fix: check the address, and REQUESTS_CA_BUNDLE if a proxy stands in between."
        ) from error
    except _BROKEN as error:
        raise PassingError(f"the connection failed ({type(error).__name__})") from error
    except requests.RequestException as error:
        raise InputError(f"{shown(url)}: is not a valid address. Fix: correct it.") from error


def _refuse(response: requests.Response, url: str) -> None:
    status = response.status_code
    if status in PASSING_STATUS:
        raise PassingError(f"the server answers {status}", retry_after(response.headers))
    if status in (401, 403):
        raise InputError(
            f"{shown(url)}: access is denied ({status}). Fix: ask its owner for access, and "
            "check the token or account in the environment."
        )
    if status in (404, 410):
        raise InputError(f"{shown(url)}: nothing is there ({status}). Fix: correct the address.")
    if status >= 400 and status != 416:
        raise InputError(f"{shown(url)}: the server answers {status}. Fix: check the address.")


def transfer(
    remote: Remote, destination: Path, accept: Callable[[Path, str], None] | None = None
) -> str:
    """Fetch a remote file to `destination`, continuing earlier attempts.

    Until it is complete and checked, the file is stored next to its destination, as `.part.{name}`.

    Parameters
    ----------
    accept
        Checks the fetched file, given its path and SHA-256, before it gets its name. If it raises
        an `InputError`, the file is refused and removed.

    Returns
    -------
    str
        SHA-256 of the file in hexadecimal.

    Raises
    ------
    InputError
        If the file cannot be fetched, differs from `remote`, or is refused, or if the disk is full.
    """
    part = destination.with_name(f".part.{destination.name}")
    note = part.with_name(f"{part.name}.json")
    part.parent.mkdir(parents=True, exist_ok=True)
    _forget_another(remote, part, note)
    try:
        persist(lambda: _continue(remote, part, note), shown(remote.url))
    except OSError as error:
        if disk := full_disk(destination, error):
            raise disk from error
        raise
    try:
        obtained = _check(remote, part)
        if accept:
            accept(part, obtained)
    except InputError:
        part.unlink()
        note.unlink()
        raise
    part.replace(destination)
    note.unlink()
    return obtained


def _forget_another(remote: Remote, part: Path, note: Path) -> None:
    """Remove partial data of another file, or of another state of this one."""
    known = json.loads(note.read_text()) if note.exists() else {}
    wanted = [shown(remote.url), remote.size, remote.sha256]
    if known.get("of") != wanted:
        part.unlink(missing_ok=True)
        note.write_text(json.dumps({"of": wanted}))


def _continue(remote: Remote, part: Path, note: Path) -> None:
    """Fetch the missing part of a file.

    Raises
    ------
    PassingError
        If the connection breaks off.
    """
    known = json.loads(note.read_text())
    start = part.stat().st_size if part.exists() else 0
    if remote.size is not None and start == remote.size:
        return
    # Without a state or checksum, a changed file would go unnoticed, so it is fetched anew.
    state = known.get("state")
    headers = dict(remote.headers)
    if start and (state or remote.sha256):
        headers["Range"] = f"bytes={start}-"
        if state:
            headers["If-Range"] = state
    # Ask for the stored bytes, since ranges would not match those of an encoded file.
    headers["Accept-Encoding"] = "identity"
    with _opened("GET", remote.url, headers=headers) as response:
        if response.status_code == 416:
            part.unlink(missing_ok=True)
            raise PassingError("the file is shorter than what had arrived of it")
        if response.headers.get("Content-Type", "").startswith("text/html") and not remote.html:
            raise InputError(
                f"{shown(remote.url)}: the server returned a web page instead of a file. Fix: open "
                "the address in a browser; it may ask you to log in, or the service may be down."
            )
        resumed = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        if not (response.status_code == 206 and resumed):
            start = 0
        etag = response.headers.get("ETag", "")
        state = response.headers.get("Last-Modified") if etag.startswith("W/") else etag
        note.write_text(json.dumps({**known, "state": state or None}))
        left = response.headers.get("Content-Length")
        total = remote.size or (start + int(left) if left else None)
        _receive(response, part, start, total)


def _receive(response: requests.Response, part: Path, start: int, total: int | None) -> None:
    bar = progress_bar(
        desc=part.name.removeprefix(".part."),
        total=total,
        initial=start,
        unit="B",
        unit_scale=True,
    )
    came = 0
    with part.open("ab" if start else "wb") as file, bar:
        try:
            for block in response.iter_content(BLOCK):
                file.write(block)
                came += len(block)
                bar.update(len(block))
        except _BROKEN as error:
            reason = f"the connection broke off after {start + came:,} bytes"
            raise PassingError(reason, advanced=came > 0) from error
        file.flush()
        os.fsync(file.fileno())


def _check(remote: Remote, part: Path) -> str:
    """Return the SHA-256 of what has arrived; InputError if it does not match `remote`."""
    size = part.stat().st_size
    sums = {"sha256": hashlib.sha256()}
    if remote.md5:
        sums["md5"] = hashlib.md5(usedforsecurity=False)
    with part.open("rb") as file:
        while block := file.read(BLOCK):
            for one in sums.values():
                one.update(block)
    found = {name: one.hexdigest() for name, one in sums.items()}
    promised = {"size": remote.size, "sha256": remote.sha256, "md5": remote.md5}
    for name, wanted in promised.items():
        came = {"size": size, **found}.get(name)
        if wanted is not None and came != wanted:
            raise InputError(
                f"{shown(remote.url)}: the download has {name} {came} instead of {wanted}; it "
                "was removed. Fix: start again; if it happens twice, the source has changed."
            )
    return found["sha256"]


@contextmanager
def slot(folder: Path, url: str, number: int) -> Iterator[None]:
    """Hold one of a host's `number` connections, shared by all processes using `folder`."""
    host = urlsplit(url).netloc.replace(":", "_")
    folder.mkdir(parents=True, exist_ok=True)
    locks = [FileLock(folder / f"{host}.{i}.lock") for i in range(number)]
    while True:
        for lock in locks:
            try:
                with lock.acquire(blocking=False):
                    yield
                    return
            except Timeout:
                continue
        time.sleep(0.2)
