"""Files of a figshare article.

API: https://docs.figshare.com, `GET /articles/{id}/files`.
"""

import re

from sagefm.common.errors import InputError, hint
from sagefm.downloads.sources.base import Remote, endpoint, safe_path

HELP = "`ARTICLE/FILE`, as in `20304456/sample_1.Robj`"

ENDPOINTS = {"FIGSHARE": "https://api.figshare.com"}


def raw_path(address: str) -> str:
    """Return the path `ARTICLE/FILE`.

    Raises
    ------
    InputError
        If the address does not begin with an article number.
    """
    if not re.fullmatch(r"\d+/.+", address):
        raise InputError(f"`{address}` is not a file of a figshare article. Fix: give {HELP}.")
    return safe_path(address)


def locate(address: str, revision: str) -> Remote:
    """See `registry.locate`."""
    from sagefm.downloads.transfer import get_json

    article, _, name = raw_path(address).partition("/")
    base = endpoint("FIGSHARE", ENDPOINTS)
    files: dict[str, dict] = {}
    page = 1
    while found := get_json(f"{base}/v2/articles/{article}/files?page={page}&page_size=100"):
        files |= {file["name"]: file for file in found}
        page += 1
    if name not in files:
        raise InputError(f"figshare {article} has no file `{name}`; {hint(name, files)}.")
    file = files[name]
    return Remote(file["download_url"], size=file["size"], md5=file["computed_md5"] or None)
