"""A bundled model as it is published: weights, recipe, model card and checksums in one folder.

`make publish` writes the folder; with `TO=OWNER/NAME` it is uploaded to the Hugging Face hub. The
card is the model's page in `docs/`, whose numbers come from committed results.
"""

import re
import shutil
import sys
from pathlib import Path

import sagefm
from sagefm.common.errors import InputError
from sagefm.common.io import atomic, sha256
from sagefm.downloads.sources.hub import hub_address, hub_token
from sagefm.networks.checkpoint import read_checkpoint
from sagefm.networks.recipe import CHECKPOINT, RECIPE
from sagefm.report.safetensors import to_safetensors

CARD, SUMS, LICENCE = "README.md", "SHA256SUMS", "LICENSE"
WEIGHTS = "model.safetensors"

HEADER = """---
license: mit
library_name: sagefm
tags: [spatial-transcriptomics, visium, embedding]
---

"""

USE = """
## These files

`{checkpoint}` (weights) and `{recipe}` (genes, normalisation, neighbourhoods) were made by sagefm
{version} with `make {name}`; `{sums}` has their SHA-256. `sagefm.load("FOLDER")` loads the folder
that they are in. The checkpoint is read without executing anything in it (`weights_only=True`).
`{weights}` has the same weights for other tools.
"""


def write_published(model: Path, page: Path, licence: Path, folder: Path) -> list[Path]:
    """Write the folder that is to be published.

    Parameters
    ----------
    model
        Folder of the weights and the recipe; its name is the model's.
    page
        The model's page in Markdown. Pictures that it shows are copied; other links within the
        repository become plain words, as they would lead nowhere.
    licence
        Licence of the weights.
    folder
        Made if it is missing; files of these names are replaced.

    Returns
    -------
    list of Path
        The files, the card first.

    Raises
    ------
    InputError
        If the model, its page or the licence is missing, or if the weights cannot be read.
    """
    sources = [model / CHECKPOINT, model / RECIPE, licence]
    for path in (page, *sources):
        if not path.is_file():
            raise InputError(
                f"{path}: is missing, but is to be published. Fix: run this in the repository, for "
                "a model of resources/models."
            )
    words, pictures = _alone(page.read_text(), page.parent)
    use = USE.format(
        checkpoint=CHECKPOINT, recipe=RECIPE, sums=SUMS, weights=WEIGHTS,
        version=sagefm.__version__, name=model.name,
    )  # fmt: skip
    tensors = to_safetensors(read_checkpoint(model / CHECKPOINT)["model_state_dict"])
    folder.mkdir(parents=True, exist_ok=True)
    written = [_copied(path, folder) for path in (*sources, *pictures)]
    with atomic(folder / WEIGHTS) as temporary:
        temporary.write_bytes(tensors)
    written.append(folder / WEIGHTS)
    sums = "".join(f"{sha256(path)}  {path.name}\n" for path in written)
    texts = {CARD: HEADER + words.rstrip("\n") + "\n" + use, SUMS: sums}
    for name, text in texts.items():
        with atomic(folder / name) as temporary:
            temporary.write_text(text)
    return [folder / CARD, folder / SUMS, *written]


def upload_published(files: list[Path], repository: str) -> str:
    """Upload the files of `write_published` to a model's repository of the hub, as one commit.

    The repository is made if there is none. The token is `HF_TOKEN`, or what `hf auth login` has
    stored.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    InputError
        If the name is not one, there is no token, or the hub refuses.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError

    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise InputError(f"`{repository}` is not a repository. Fix: give TO=OWNER/NAME.")
    token = hub_token()
    if not token:
        raise InputError(
            "there is no token to upload with. Fix: set HF_TOKEN, or run `hf auth login`, with a "
            "token that may write."
        )
    api = HfApi(endpoint=hub_address(), token=token)
    try:
        api.create_repo(repository, exist_ok=True)
        done = api.create_commit(
            repository,
            [CommitOperationAdd(path.name, path) for path in files],
            commit_message=f"sagefm {sagefm.__version__}",
        )
    except HfHubHTTPError as error:
        status = error.response.status_code
        raise InputError(
            f"{repository}: the hub answers {status}. Fix: check the name, and that the token may "
            "write there."
        ) from None
    return str(done.commit_url)


_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")


def _alone(text: str, folder: Path) -> tuple[str, list[Path]]:
    """A page's text without links into the repository and marks of templates; its pictures."""
    pictures: list[Path] = []

    def replaced(found: re.Match) -> str:
        shown, words, target = found.groups()
        if not shown:
            return words
        pictures.append(folder / target)
        return f"![{words}]({Path(target).name})"

    return _LINK.sub(replaced, re.sub(r"<!-- .*? -->\n?", "", text)), pictures


def _copied(path: Path, folder: Path) -> Path:
    with atomic(folder / path.name) as temporary:
        shutil.copyfile(path, temporary)
    return folder / path.name


def publish_bundled(name: str, repository: str = "") -> str:
    """Write the folder of a bundled model, and upload it if a repository is named."""
    folder = Path("results/publish") / name
    files = write_published(
        Path("resources/models") / name, Path(f"docs/{name}.md"), Path(LICENCE), folder
    )
    words = f"{folder}: {', '.join(path.name for path in files)}"
    return f"{words}\n{upload_published(files, repository)}" if repository else words


if __name__ == "__main__":
    try:
        print(publish_bundled(*filter(None, sys.argv[1:])))
    except InputError as error:
        sys.exit(f"ERROR: {error}")
