"""Files of a Dryad data set, by its DOI.

The contents of a data set are public, but downloading files requires an account (OpenAPI
description of https://datadryad.org/api: "Anonymous users of the API [...] are not allowed to
download data files"). Tokens are issued for an account's ID and secret and last ten hours
(https://github.com/datadryad/dryad-app, documentation/apis/api_accounts.md).
"""

import os
import re
from urllib.parse import quote

from sagefm.common.errors import InputError, hint
from sagefm.downloads.sources.base import Remote, endpoint, safe_path

HELP = "`DOI/FILE`, as in `10.5061/dryad.h70rxwdmj/10XVisium_2.zip`"

ENDPOINTS = {"DRYAD": "https://datadryad.org"}

ADVICE = (
    "Dryad requires an account. Fix: create one for the API at https://datadryad.org/account, and "
    "set DRYAD_CLIENT_ID and DRYAD_CLIENT_SECRET, or a DRYAD_TOKEN of the last ten hours"
)


def raw_path(address: str) -> str:
    """Return the path `DOI/FILE`.

    Raises
    ------
    InputError
        If the address does not begin with a Dryad DOI.
    """
    if not re.fullmatch(r"10\.\d+/dryad\.\w+/.+", address):
        raise InputError(f"`{address}` is not a file of a Dryad data set. Fix: give {HELP}.")
    return safe_path(address)


def collection(address: str) -> str:
    """Return the DOI: all files of a DOI are of one version."""
    return "/".join(raw_path(address).split("/", 2)[:2])


def locate(address: str, revision: str) -> Remote:
    """See `registry.locate`. The revision is a version number, initially the latest."""
    from sagefm.downloads.transfer import get_json

    prefix, suffix, name = raw_path(address).split("/", 2)
    base = endpoint("DRYAD", ENDPOINTS)
    doi = quote(f"doi:{prefix}/{suffix}", safe="")
    if not revision:
        found = get_json(f"{base}/api/v2/datasets/{doi}")
        revision = found["_links"]["stash:version"]["href"].rsplit("/", 1)[1]
    files: dict[str, dict] = {}
    link = f"/api/v2/versions/{revision}/files"
    while link:
        page = get_json(base + link)
        files |= {file["path"]: file for file in page["_embedded"]["stash:files"]}
        link = page["_links"].get("next", {}).get("href")
    if name not in files:
        raise InputError(f"doi:{prefix}/{suffix} has no file `{name}`; {hint(name, files)}.")
    file = files[name]
    algorithm = file.get("digestType", "").replace("-", "")
    sums = {algorithm: file["digest"]} if algorithm in ("sha256", "md5") else {}
    url = base + file["_links"]["stash:download"]["href"]
    headers = {"Authorization": f"Bearer {_token(base)}"}
    return Remote(url, size=file["size"], revision=revision, headers=headers, **sums)


def _token(base: str) -> str:
    from sagefm.downloads.transfer import post_json

    if token := os.environ.get("DRYAD_TOKEN"):
        return token
    account = {
        name: os.environ.get(f"DRYAD_{name.upper()}") for name in ("client_id", "client_secret")
    }
    if not all(account.values()):
        raise InputError(f"{ADVICE}.")
    form = {**account, "grant_type": "client_credentials"}
    return post_json(f"{base}/oauth/token", data=form)["access_token"]
