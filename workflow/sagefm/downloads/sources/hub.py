"""Files of a data set on the Hugging Face hub, gated or not.

`huggingface_hub` locates a file, and `transfer` fetches it as from any other source.
`hf_hub_download` (2.4) would do both. But it starts from the first byte in every process and does
not limit connections to a host. It also checks only the size, even if the hub gives a SHA-256.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from sagefm.common.errors import InputError
from sagefm.downloads.retry import PASSING_STATUS, PassingError, persist, retry_after
from sagefm.downloads.sources.base import Remote, endpoint, safe_path

KIND = "dataset"

Answer = TypeVar("Answer")

HELP = "`OWNER/NAME/PATH`, or `OWNER/NAME@REVISION/PATH`"

ENDPOINTS = {"HF": "https://huggingface.co"}


def raw_path(address: str) -> str:
    """Return the path `OWNER/NAME[@REVISION]/PATH`.

    Raises
    ------
    InputError
        If the address has another form.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w.-]+)?/.+", address):
        raise InputError(f"`{address}` is not a file of a data set on the hub. Fix: give {HELP}.")
    return safe_path(address)


def locate(address: str, revision: str) -> Remote:
    """See `registry.locate`. The revision is a commit, initially that of the named one or `main`.

    The token is `HF_TOKEN`, or the one stored by `hf auth login`; public sets need none.
    """
    from huggingface_hub import HfApi, RepoFile, hf_hub_url

    repository, asked, path = _parts(address)
    token = hub_token()
    hub = hub_address()
    api = HfApi(endpoint=hub, token=token or False)
    if not revision:
        info = _ask(lambda: api.repo_info(repository, revision=asked, repo_type=KIND), repository)
        revision = info.sha or ""
    found = _ask(
        lambda: api.get_paths_info(repository, [path], revision=revision, repo_type=KIND),
        repository,
    )
    if not found or not isinstance(found[0], RepoFile):
        raise InputError(f"{repository} has no file `{path}` at {revision[:12]}. Fix: correct it.")
    return Remote(
        hf_hub_url(repository, path, revision=revision, repo_type=KIND, endpoint=hub),
        size=found[0].size,
        sha256=found[0].lfs.sha256 if found[0].lfs else None,
        revision=revision,
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )


def hub_address() -> str:
    """Return the hub's address: the current `HF_ENDPOINT`, which its client reads at import."""
    return endpoint("HF", ENDPOINTS)


def hub_token() -> str | None:
    """Return the user's token, or None.

    Raises
    ------
    InputError
        If it contains a character that is invalid in a token and in a request.
    """
    from huggingface_hub import get_token

    token = get_token()
    if token and not (token.isascii() and token.isprintable()):
        raise InputError(
            "the token of the hub (HF_TOKEN, or what `hf auth login` has stored) contains a "
            "character that is not allowed in a token. Fix: copy it again from "
            f"{hub_address()}/settings/tokens."
        )
    return token


def collection(address: str) -> str:
    """Return `OWNER/NAME[@REVISION]`: all its files share one state."""
    return "/".join(raw_path(address).split("/", 2)[:2])


def hub_repository(address: str) -> str:
    """Return `OWNER/NAME`, to which this user may lack access."""
    return _parts(address)[0]


def _parts(address: str) -> tuple[str, str | None, str]:
    """Return repository, requested revision and path."""
    owner, named, path = raw_path(address).split("/", 2)
    name, _, asked = named.partition("@")
    return f"{owner}/{name}", asked or None, path


def _ask(question: Callable[[], Answer], repository: str) -> Answer:
    """Return an answer of the hub, retrying if that may help."""
    from httpx2 import TransportError
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    def once() -> Answer:
        try:
            return question()
        except OfflineModeIsEnabled as error:
            raise InputError(
                f"{repository} must be downloaded from the hub, but HF_HUB_OFFLINE is set. Fix: "
                "unset it, or download the files where there is a network."
            ) from error
        except TransportError as error:
            raise PassingError(f"the connection failed ({type(error).__name__})") from error
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status in PASSING_STATUS:
                wait = retry_after(error.response.headers)
                raise PassingError(f"the hub answers {status}", wait) from error
            raise _explained(error, status, repository) from None

    return persist(once, f"{repository} on the hub")


def _explained(error: Exception, status: int, repository: str) -> InputError:
    from huggingface_hub import get_token
    from huggingface_hub.errors import GatedRepoError, RevisionNotFoundError

    page = f"{hub_address()}/datasets/{repository}"
    if isinstance(error, RevisionNotFoundError):
        return InputError(
            f"{repository} has no such revision. Fix: correct the sheet or the lock table."
        )
    if isinstance(error, GatedRepoError) and get_token():
        return InputError(
            f"{repository} is gated, and this token's account has no access. Fix: ask for access "
            f"at {page}; a fine-grained token must also allow reading gated sets."
        )
    if isinstance(error, GatedRepoError):
        return InputError(
            f"{repository} is gated. Fix: ask for access at {page}, then set HF_TOKEN, or run "
            "`hf auth login`."
        )
    if status == 401 and get_token():
        return InputError(
            f"the hub does not accept this token ({status}). Fix: make a new one at "
            f"{hub_address()}/settings/tokens, and set HF_TOKEN."
        )
    return InputError(
        f"{repository}: the hub answers {status}. Fix: check the name, and that HF_TOKEN may "
        "read it."
    )
