"""A large file of a GitHub repository, kept by Git LFS.

Pointer: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md; batch requests:
https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md.
"""

import re

from sagefm.common.errors import InputError
from sagefm.downloads.sources.base import Remote, endpoint, quoted, safe_path

HELP = "`OWNER/NAME@COMMIT/PATH`, the commit in full"

ENDPOINTS = {"GITHUB": "https://github.com", "GITHUB_RAW": "https://raw.githubusercontent.com"}

MEDIA = "application/vnd.git-lfs+json"


def raw_path(address: str) -> str:
    """Return the path `OWNER/NAME@COMMIT/PATH`.

    Raises
    ------
    InputError
        If the address has another form. The commit must be complete, since branches change.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}/.+", address):
        raise InputError(
            f"`{address}` is not a file of a repository at a commit. Fix: give {HELP}."
        )
    return safe_path(address)


def locate(address: str, revision: str) -> Remote:
    """See `registry.locate`."""
    from sagefm.downloads.transfer import get_text, post_json

    repository, _, rest = raw_path(address).partition("@")
    commit, _, path = rest.partition("/")
    raw = endpoint("GITHUB_RAW", ENDPOINTS)
    pointer = get_text(f"{raw}/{repository}/{commit}/{quoted(path)}", largest=1024)
    found = re.search(r"^oid sha256:([0-9a-f]{64})\nsize (\d+)$", pointer, re.MULTILINE)
    if not found:
        raise InputError(f"{address} is not kept by Git LFS. Fix: take it by source `url`.")
    oid, size = found[1], int(found[2])
    host = endpoint("GITHUB", ENDPOINTS)
    answer = post_json(
        f"{host}/{repository}.git/info/lfs/objects/batch",
        json={
            "operation": "download",
            "transfers": ["basic"],
            "objects": [{"oid": oid, "size": size}],
        },
        headers={"Accept": MEDIA, "Content-Type": MEDIA},
    )
    item = answer["objects"][0]
    if "error" in item:
        raise InputError(
            f"{address}: Git LFS answers {item['error']['code']} ({item['error']['message']}). Its "
            "owner may have used up this month's traffic. Fix: try later, or give a copy's `path`."
        )
    action = item["actions"]["download"]
    headers = action.get("header", {})
    return Remote(action["href"], size=size, sha256=oid, revision=commit, headers=headers)
