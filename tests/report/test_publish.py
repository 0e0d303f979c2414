"""A model's folder as published, and its upload to a hub on this machine."""

import re

import pytest
import torch

import sagefm
from bench import stand_ins
from bench.stand_in_answers import COMMIT, TOKEN
from sagefm.common.errors import InputError
from sagefm.common.io import sha256
from sagefm.report.publish import publish_bundled, upload_published, write_published
from sagefm.report.safetensors import to_safetensors

STATE = {
    "b.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "a.weight": torch.tensor([1.5], dtype=torch.float16),
    "n": torch.tensor(7),
}
WRITTEN = (
    b'\xd8\0\0\0\0\0\0\0{"__metadata__":{"format":"pt"},'
    b'"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},'
    b'"b.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},'
    b'"a.weight":{"dtype":"F16","shape":[1],"data_offsets":[32,34]}}       '
) + bytes.fromhex("0700000000000000 00000000 0000803f 00000040 00004040 00008040 0000a040 003e")
"""Of the same tensors, by `safetensors.numpy.save` of safetensors 0.8.0."""

PAGE = """# A model

![Its programmes](figures/p.png) See [limits](limits.md#it), [a paper](https://doi.org/1).

<!-- from x.md -->
| 42% |
<!-- end of x.md -->
"""


@pytest.fixture
def made(tmp_path):
    """A page and a model of few bytes, and the folder written of them."""
    for name in ("docs/figures/p.png", "models/tiny/recipe.json", "LICENSE"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    torch.save({"model_state_dict": STATE}, tmp_path / "models/tiny/best.pt")
    (tmp_path / "docs/tiny.md").write_text(PAGE)
    return lambda: write_published(
        tmp_path / "models/tiny", tmp_path / "docs/tiny.md", tmp_path / "LICENSE", tmp_path / "out"
    )


@pytest.fixture
def hub(monkeypatch):
    with stand_ins.serving() as services:
        for name, value in services.environment().items():
            monkeypatch.setenv(name, value)
        yield services


def test_the_card_is_the_page_without_links_into_the_repository(made, tmp_path):
    files = made()
    assert sorted(path.name for path in files) == sorted(
        [
            "README.md",
            "SHA256SUMS",
            "best.pt",
            "model.safetensors",
            "recipe.json",
            "LICENSE",
            "p.png",
        ]
    )
    assert (tmp_path / "out/model.safetensors").read_bytes() == WRITTEN
    card = (tmp_path / "out/README.md").read_text()
    assert card.startswith("---\nlicense: mit\n")
    assert "![Its programmes](p.png) See limits, [a paper](https://doi.org/1)." in card
    assert "| 42% |" in card and "<!--" not in card and "`make tiny`" in card
    for line in (tmp_path / "out/SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert sha256(tmp_path / "out" / name) == digest


def test_the_bytes_are_those_of_the_formats_own_library():
    assert to_safetensors(STATE) == WRITTEN
    turned = dict(reversed(STATE.items())) | {"b.weight": STATE["b.weight"].T.contiguous().T}
    assert to_safetensors(turned) == WRITTEN


def test_what_is_missing_is_named(made, tmp_path):
    (tmp_path / "models/tiny/recipe.json").unlink()
    with pytest.raises(InputError, match=r"tiny/recipe\.json: is missing, but is to be published"):
        made()
    assert not (tmp_path / "out").exists()


def test_the_bundled_model_is_loaded_from_what_is_published(repo, tmp_path, monkeypatch):
    for name in ("resources", "docs", "LICENSE"):
        (tmp_path / name).symlink_to(repo / name)
    monkeypatch.chdir(tmp_path)
    assert publish_bundled("light").startswith(
        "results/publish/light: README.md, SHA256SUMS, best.pt"
    )
    folder = tmp_path / "results/publish/light"
    model, bundled = (sagefm.load(path, device="cpu") for path in (folder, "light"))
    own, other = (one.network.state_dict() for one in (model, bundled))
    assert all(own[name].equal(other[name]) for name in other)
    card = (folder / "README.md").read_text()
    assert "Intended use, and where it fails" in card
    for link in re.findall(r"\]\(([^)#:\s]+)\)", card):
        assert (folder / link).is_file()


def test_all_files_are_uploaded_in_one_commit(made, hub):
    files = made()
    address = upload_published(files, "lab/tiny")
    assert address == f"{hub.url}/lab/tiny/commit/{COMMIT}"
    there = {path: data for (kind, path), data in hub.files.items() if kind == "models"}
    assert there == {f"lab/tiny/{path.name}": path.read_bytes() for path in files}
    assert len(hub.paths("/commit/")) == 1


@pytest.mark.parametrize(
    ("repository", "token", "words"),
    [
        ("tiny", TOKEN, "`tiny` is not a repository. Fix: give TO=OWNER/NAME."),
        ("lab/tiny", "hf_another", "lab/tiny: the hub answers 403. Fix: check the name"),
        ("lab/tiny", "", "there is no token to upload with. Fix: set HF_TOKEN"),
    ],
)
def test_what_cannot_be_uploaded_is_refused(
    made, hub, tmp_path, monkeypatch, repository, token, words
):
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(InputError, match=re.escape(words)):
        upload_published(made(), repository)
    assert not any(kind == "models" for kind, _ in hub.files)
