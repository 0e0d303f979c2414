"""Check that the services from which a run downloads respond and grant this user access."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from sagefm.common.errors import InputError
from sagefm.downloads.plan import Origin
from sagefm.downloads.sources.hub import hub_address, hub_token
from sagefm.downloads.sources.registry import load_source, locate
from sagefm.preflight.checks import Check

TIMEOUT_SECONDS = 20

_NETWORK = (
    "check the network, and `HTTPS_PROXY` where there is a proxy; on a cluster, start from a node "
    "that reaches the internet"
)


def access_checks(origins: Iterable[Origin]) -> list[Check]:
    """Request one file, the first by name, from each service and each data set on it.

    Tokens are sent to services that need one, and are not part of any check.

    Parameters
    ----------
    origins
        Origins of the files to fetch.
    """
    asked: dict[str, Origin] = {}
    for origin in sorted(origins, key=lambda origin: (origin.source, origin.address)):
        asked.setdefault(_group(origin), origin)
    with ThreadPoolExecutor() as pool:  # a service that does not respond takes minutes
        return [check for checks in pool.map(_access, asked, asked.values()) for check in checks]


def _group(origin: Origin) -> str:
    """Return what one answer covers: a data set, or else all files of a service or host."""
    collection = getattr(load_source(origin.source), "collection", None)
    if collection:
        return f"{origin.source} {collection(origin.address)}"
    host = urlsplit(origin.address).netloc
    return f"{origin.source} {host}".strip()


def _access(name: str, origin: Origin) -> list[Check]:
    try:
        remote = locate(origin.source, origin.address)
    except InputError as error:
        return [Check(name, f"`{origin.address}` is not to be had", str(error).rstrip("."))]
    checks = [host_check(remote.url)]
    repository = getattr(load_source(origin.source), "hub_repository", None)
    if repository:
        checks.append(hub_check(repository(origin.address)))
    elif remote.revision or remote.size:
        checks.append(Check(name, "has what is wanted"))
    return checks


def host_check(address: str) -> Check:
    """Check that a URL's host responds at all, whatever the answer."""
    import requests

    parts = urlsplit(address)
    name = f"host {parts.netloc}"
    try:
        status = requests.head(
            f"{parts.scheme}://{parts.netloc}", timeout=TIMEOUT_SECONDS
        ).status_code
    except requests.exceptions.ProxyError as error:
        return Check(name, f"the proxy refuses ({_reason(error)})", _NETWORK)
    except requests.RequestException as error:
        return Check(name, f"does not answer ({_reason(error)})", _NETWORK)
    if status >= 500:
        return Check(name, f"answers with an error ({status})", "try again later")
    return Check(name, "answers")


def hub_check(repository: str) -> Check:
    """Check that this user may read a data set on the Hugging Face hub.

    The token is `HF_TOKEN`, or the one stored by `hf auth login`; public sets need none.

    Parameters
    ----------
    repository
        `OWNER/NAME`.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled

    name, page = f"access to {repository}", f"{hub_address()}/datasets/{repository}"
    try:
        token, hub = hub_token(), HfApi(endpoint=hub_address())
    except InputError as error:
        problem, _, fix = str(error).partition(" Fix: ")
        return Check(name, problem, fix.rstrip("."))
    whose = "the token" if token else "without a token"
    try:
        hub.auth_check(repository, repo_type="dataset", token=token or False)
    except HfHubHTTPError as error:
        status = error.response.status_code
        if not token and status in (401, 403):
            remedy = f"ask for access at {page}, then set HF_TOKEN, or run `hf auth login`"
            return Check(name, "is gated, and there is no token", remedy)
        if isinstance(error, GatedRepoError):
            return Check(name, "the token's account has none", f"ask for it at {page}")
        if status == 401:
            return Check(name, "the token is refused", "make a new one, and set HF_TOKEN")
        return Check(name, f"the hub answers {status}", "try again later")
    except OfflineModeIsEnabled:
        return Check(name, "HF_HUB_OFFLINE is set", "unset it")
    except Exception as error:  # any error of the hub's client without a connection
        return Check(name, f"the hub does not answer ({_reason(error)})", _NETWORK)
    return Check(name, f"{whose} is accepted" if token else f"is open {whose}")


def _reason(error: Exception) -> str:
    """Return the type of a network error's cause, since its message contains addresses."""
    inner: BaseException = error
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    return type(inner).__name__
