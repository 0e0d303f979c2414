"""Whether the services a run fetches from answer, and let this user in."""

import os
from collections.abc import Iterable

from sagefm.preflight.checks import Check

TIMEOUT_SECONDS = 20
_NETWORK = (
    "check the network, and `HTTPS_PROXY` where there is a proxy; on a cluster, start from a node "
    "that reaches the internet"
)


def host_checks(addresses: Iterable[str]) -> list[Check]:
    """Whether each host answers at all; what it says to a visitor does not matter here.

    Parameters
    ----------
    addresses
        URLs; only their hosts are asked, each once.
    """
    from urllib.parse import urlsplit

    hosts = {"{0.scheme}://{0.netloc}".format(urlsplit(address)): None for address in addresses}
    return [_answers(host) for host in hosts]


def _answers(host: str) -> Check:
    import requests

    name = f"host {host.split('://')[1]}"
    try:
        status = requests.head(host, timeout=TIMEOUT_SECONDS).status_code
    except requests.exceptions.ProxyError as error:
        return Check(name, f"the proxy refuses ({_reason(error)})", _NETWORK)
    except requests.RequestException as error:
        return Check(name, f"does not answer ({_reason(error)})", _NETWORK)
    if status >= 500:
        return Check(name, f"answers with an error ({status})", "try again later")
    return Check(name, "answers")


def hub_check(repository: str) -> Check:
    """Whether the user's token opens a gated dataset of the Hugging Face hub.

    The token is that of `HF_TOKEN`, or the one that `hf auth login` stored; it is shown nowhere.

    Parameters
    ----------
    repository
        `owner/name` of a dataset.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    name = f"access to {repository}"
    where = "HF_TOKEN" if os.environ.get("HF_TOKEN") else "the hub's own store"
    page = f"https://huggingface.co/datasets/{repository}"
    if not get_token():
        return Check(
            name,
            "there is no token",
            f"ask for access at {page}, make a token that may read, and set HF_TOKEN (or run "
            "`hf auth login`)",
        )
    try:
        HfApi().auth_check(repository, repo_type="dataset")
    except GatedRepoError:
        return Check(name, f"the token of {where} has no access", f"ask for it at {page}")
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no status"
        if status == 401:
            return Check(
                name, f"the token of {where} is refused", "make a new one and set HF_TOKEN"
            )
        return Check(name, f"the hub answers with {status}", "try again later")
    except Exception as error:  # whatever the hub's client raises without a connection
        return Check(name, f"the hub does not answer ({_reason(error)})", _NETWORK)
    return Check(name, f"the token of {where} is accepted")


def _reason(error: Exception) -> str:
    """What a network library says of a failure, in a word: its messages hold addresses."""
    inner: BaseException = error
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    return type(inner).__name__
