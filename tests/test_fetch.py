"""Checkpoints and tables: from a file or over HTTP, whole and fitting, or not at all."""

import hashlib
import logging
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from sagefm.checkpoint import load_network, save_checkpoint
from sagefm.download import fetch_csv
from sagefm.errors import InputError
from sagefm.fetch import fetch_checkpoint
from sagefm.model import build_network

GENES, WIDTHS = 30, (8, 4, 8)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder with a checkpoint, one that was cut off, and tables of which one is none."""
    folder = tmp_path_factory.mktemp("shelf")
    save_checkpoint(folder / "release.pt", build_network("gcn", GENES, WIDTHS, seed=0), epoch=126)
    content = (folder / "release.pt").read_bytes()
    (folder / "half.pt").write_bytes(content[: len(content) // 2])
    (folder / "pairs.csv").write_text("source,target,weight,resources\nSTAT1,IRF1,1,a;b\n")
    (folder / "page.csv").write_text("<html><body>Log in</body></html>\n")
    (folder / "empty.csv").write_text("")
    return folder


@pytest.fixture(scope="module")
def address(shelf):
    """The folder, served on this machine alone."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(shelf))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_fetched(path, shelf):
    found = load_network(path, "gcn", GENES).state_dict()
    for name, weights in load_network(shelf / "release.pt", "gcn", GENES).state_dict().items():
        assert torch.equal(found[name], weights)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_from_a_file(shelf, tmp_path):
    path = tmp_path / "model/best.pt"
    fetch_checkpoint({"path": str(shelf / "release.pt")}, "gcn", GENES, path)
    assert_fetched(path, shelf)


def test_from_an_address(shelf, address, tmp_path):
    path = tmp_path / "model/best.pt"
    released = {"url": f"{address}/release.pt", "sha256": sha256(shelf / "release.pt")}
    fetch_checkpoint(released, "gcn", GENES, path)
    assert_fetched(path, shelf)


@pytest.mark.parametrize(
    ("name", "checksum", "genes", "words"),
    [
        ("release.pt", "0" * 64, GENES, ("release.pt", "sha256", "check the address")),
        ("absent.pt", "0" * 64, GENES, ("absent.pt", "404", "check the address")),
        ("release.pt", None, GENES + 1, ("release.pt", "30 genes", "the panel has 31")),
        ("half.pt", None, GENES, ("half.pt", "truncated", "fetch or train it again")),
    ],
    ids=["another checksum", "not there", "another panel", "cut off"],
)
def test_what_is_not_as_promised_leaves_no_file(
    shelf, address, tmp_path, name, checksum, genes, words
):
    url = f"{address}/{name}"
    released = {"url": url, "sha256": checksum or sha256(shelf / name)}
    with pytest.raises(InputError) as caught:
        fetch_checkpoint(released, "gcn", genes, tmp_path / "best.pt")
    sentence = str(caught.value)
    assert sentence.startswith(url)  # what the user wrote, not the temporary name
    assert str(tmp_path) not in sentence
    assert "\n" not in sentence
    for word in words:
        assert word in sentence
    assert not list(tmp_path.iterdir())


def test_nobody_answers(tmp_path):
    released = {"url": "http://127.0.0.1:9/release.pt", "sha256": "0" * 64}
    with pytest.raises(InputError, match="could not be fetched"):
        fetch_checkpoint(released, "gcn", GENES, tmp_path / "best.pt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "network", "genes", "words"),
    [
        ("release.pt", "gcn", 7, "predicts 30 genes, but the panel has 7"),
        ("release.pt", "two_channel", GENES, "do not fit a `two_channel` network"),
        ("half.pt", "gcn", GENES, "truncated"),
    ],
)
def test_a_file_that_does_not_fit_is_named(shelf, tmp_path, name, network, genes, words):
    path = shelf / name
    with pytest.raises(InputError, match=words) as caught:
        fetch_checkpoint({"path": str(path)}, network, genes, tmp_path / "best.pt")
    assert str(caught.value).startswith(str(path))
    assert not list(tmp_path.iterdir())
    assert path.exists()


COLUMNS = ("source", "target", "weight")


@pytest.mark.parametrize("given", [False, True], ids=["without a sum", "with its sum"])
def test_a_table_is_fetched_with_its_sum_beside(shelf, address, tmp_path, caplog, given):
    checksum = sha256(shelf / "pairs.csv")
    with caplog.at_level(logging.INFO, "sagefm"):
        url = f"{address}/pairs.csv?download=1"
        fetch_csv(url, checksum if given else None, COLUMNS, tmp_path / "tf/collectri.csv")
    assert (tmp_path / "tf/collectri.csv").read_bytes() == (shelf / "pairs.csv").read_bytes()
    beside = (tmp_path / "tf/collectri.csv.sha256").read_text()
    assert beside == f"{checksum}  collectri.csv\n"
    assert any(url in line and checksum in line for line in caplog.messages)
    assert len(list((tmp_path / "tf").iterdir())) == 2


@pytest.mark.parametrize(
    ("name", "checksum", "words"),
    [
        ("pairs.csv", "0" * 64, ("sha256", "check the address")),
        ("absent.csv", None, ("404", "give its `path`")),
        ("page.csv", None, ("column `source`", "give its `path`")),
        ("empty.csv", None, ("column `source`", "give its `path`")),
        ("half.pt", None, ("column `source`", "give its `path`")),
    ],
)
def test_what_is_no_such_table_leaves_no_file(address, tmp_path, name, checksum, words):
    with pytest.raises(InputError) as caught:
        fetch_csv(f"{address}/{name}", checksum, COLUMNS, tmp_path / "collectri.csv")
    sentence = str(caught.value)
    assert sentence.startswith(f"{address}/{name}: ")
    assert "\n" not in sentence
    for word in words:
        assert word in sentence
    assert not list(tmp_path.iterdir())
