"""Raw files are fetched once, by one job, and match the lock table."""

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from bench.stand_in_answers import COMMIT, TOKEN, sha256
from bench.stand_ins import Fault
from sagefm.common.errors import InputError
from sagefm.downloads.fetch import bring, record
from sagefm.downloads.lock import Locked, LockTable
from sagefm.downloads.plan import RawPlan

CONTENT = os.urandom(400_000)
BRING = """
import sys
from sagefm.downloads.lock import LockTable
from sagefm.downloads.fetch import bring
from sagefm.downloads.plan import Origin
source, address, file, folder, lock = sys.argv[1:]
bring(Origin(source, address), file, folder, LockTable(lock), 4)
"""


@pytest.fixture
def services(server, monkeypatch):
    server.files = {("hub", f"st/T{i}.h5ad"): CONTENT + bytes([i]) for i in range(3)}
    server.files["web", "big.bin"] = CONTENT
    server.faults, server.revision, server.most_open = {}, COMMIT, 0
    server.asked.clear()
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def plan(tmp_path):
    return RawPlan(str(tmp_path / "raw"))


@pytest.fixture
def lock(tmp_path):
    return LockTable(tmp_path / "config/lock.tsv")


def bring_all(plan, lock):
    for file, origin in plan.origins.items():
        bring(origin, file, plan.folder, lock, 2)


def start(repo, plan, lock, file):
    """A process that brings one file."""
    origin = plan.origins[file]
    arguments = [origin.source, origin.address, file, plan.folder, str(lock.path)]
    environment = {**os.environ, "PYTHONPATH": str(repo / "workflow")}
    return subprocess.Popen(
        [sys.executable, "-c", BRING, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_what_came_is_recorded_and_never_fetched_again(services, plan, lock):
    path = Path(plan.path("hest", "T0"))
    bring_all(plan, lock)
    row = lock.get("hest/st/T0.h5ad")
    assert (row.address, row.revision) == ("hest:T0", COMMIT)
    assert (row.size, row.sha256) == (str(len(CONTENT) + 1), sha256(CONTENT + b"\0"))
    services.asked.clear()
    bring_all(plan, lock)
    assert not services.asked
    assert path.read_bytes() == CONTENT + b"\0"


def test_the_token_is_written_nowhere(services, plan, lock, tmp_path, caplog):
    plan.path("hest", "T0")
    services.faults["/cdn/x/st/T0.h5ad"] = Fault(drop_after=100_000)
    with caplog.at_level(10):
        bring_all(plan, lock)
    assert TOKEN not in caplog.text
    own = [record.getMessage() for record in caplog.records if record.name.startswith("sagefm")]
    assert own and "Signature" not in "".join(own)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes()
    sent = {path: headers.get("authorization") for path, headers in services.asked}
    assert sent[f"/datasets/MahmoodLab/hest/resolve/{COMMIT}/st/T0.h5ad"] == f"Bearer {TOKEN}"
    assert sent["/cdn/x/st/T0.h5ad"] is None  # another host


def test_all_files_are_of_the_revision_that_was_first_resolved(services, plan, lock):
    for name in ("T0", "T1"):
        plan.path("hest", name)
    (first, origin), (second, _) = plan.origins.items()
    bring(origin, first, plan.folder, lock, 2)
    services.revision = "f" * 40
    bring(plan.origins[second], second, plan.folder, lock, 2)
    assert {lock.get(file).revision for file in (first, second)} == {COMMIT}
    assert services.paths(f"/resolve/{COMMIT}/st/T1.h5ad")
    assert not services.paths("f" * 40)


def test_a_source_that_changed_is_refused(services, plan, lock, tmp_path):
    path = tmp_path / "raw" / "url" / f"{services.url.removeprefix('http://')}/web/big.bin"
    plan.path("url", f"{services.url}/web/big.bin")
    bring_all(plan, lock)
    path.unlink()
    services.files["web", "big.bin"] = CONTENT[::-1]
    with pytest.raises(InputError, match=r"recorded 400000 and .* delete its row from the table"):
        bring_all(plan, lock)
    assert not path.exists()
    services.files["web", "big.bin"] = CONTENT
    bring_all(plan, lock)
    assert path.read_bytes() == CONTENT


def test_what_the_table_refuses_never_stands_under_its_name(services, plan, lock, monkeypatch):
    path = Path(plan.path("url", f"{services.url}/web/big.bin"))
    (file,) = plan.origins
    lock.add(Locked(file, size=str(len(CONTENT)), sha256=sha256(CONTENT[::-1])))
    renamed = []
    monkeypatch.setattr(Path, "replace", lambda part, to: renamed.append(to))
    with pytest.raises(InputError, match="Its source has changed"):
        bring_all(plan, lock)
    assert not renamed
    assert not [found for found in path.parent.iterdir() if not found.name.startswith(".lock.")]


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.h5", CONTENT)
    return content.getvalue()


def tarred(mode: str = "w") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for name in ("a.h5", "b.h5"):
            info = tarfile.TarInfo(name)
            info.size = 100 * tarfile.BLOCKSIZE
            archive.addfile(info, io.BytesIO(CONTENT))
    return content.getvalue()


ARCHIVES = {"a.zip": zipped(), "a.tar": tarred(), "a.tar.gz": tarred("w:gz")}
BETWEEN = 101 * tarfile.BLOCKSIZE
"""Bytes of `a.tar` before its second member."""


@pytest.mark.parametrize(
    ("name", "left"),
    [("a.zip", 200_000), ("a.tar", 60_000), ("a.tar", BETWEEN), ("a.tar.gz", 60_000)],
)
def test_an_archive_cut_off_at_its_source_is_not_taken(services, plan, lock, name, left):
    """Of the size that the server says, so that nothing but its content gives it away."""
    services.files["web", name] = ARCHIVES[name][:left]
    path = Path(plan.path("url", f"{services.url}/web/{name}::b.h5"))
    with pytest.raises(
        InputError, match=rf"^{name}: .*cut off .* Fix: start again; .* use another\.$"
    ):
        bring_all(plan, lock)
    (file,) = plan.origins
    assert not path.exists() and not (Path(plan.folder) / file).exists()
    assert not lock.rows()
    services.files["web", name] = ARCHIVES[name]
    bring_all(plan, lock)
    assert (Path(plan.folder) / file).read_bytes() == ARCHIVES[name]


def test_a_sum_in_the_config_is_held_to(services, plan, lock):
    plan.path("url", f"{services.url}/web/big.bin", "0" * 64)
    with pytest.raises(InputError, match="the download has sha256"):
        bring_all(plan, lock)
    assert not lock.rows()


def test_two_jobs_that_want_one_file_fetch_it_once(repo, services, plan, lock):
    plan.path("url", f"{services.url}/web/big.bin")
    (file,) = plan.origins
    services.faults["/web/big.bin"] = Fault(pause=0.02)
    both = [start(repo, plan, lock, file) for _ in range(2)]
    printed = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    assert len(services.paths("big.bin")) == 1
    assert lock.get(file).sha256 == sha256(CONTENT)


def test_jobs_that_finish_together_lose_no_row(repo, services, plan, lock):
    for name in ("T0", "T1", "T2"):
        plan.path("hest", name)
    all_of_them = [start(repo, plan, lock, file) for file in plan.origins]
    for process in all_of_them:
        assert process.wait(timeout=120) == 0, process.communicate()[0]
    assert set(plan.origins) < set(lock.rows())


def test_a_killed_download_goes_on_where_it_was(repo, services, plan, lock, tmp_path):
    plan.path("url", f"{services.url}/web/big.bin")
    (file,) = plan.origins
    path = tmp_path / "raw" / file
    part = path.with_name(f".part.{path.name}")
    services.faults["/web/big.bin"] = Fault(pause=0.1)
    process = start(repo, plan, lock, file)
    deadline = time.monotonic() + 60
    while not part.exists() or part.stat().st_size < 150_000:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not path.exists() and part.stat().st_size < len(CONTENT)
    services.asked.clear()
    bring_all(plan, lock)
    assert path.read_bytes() == CONTENT and not part.exists()
    (asked,) = services.ranges_asked("big.bin")
    assert int(asked.removeprefix("bytes=").rstrip("-")) >= 100_000


def test_files_that_lie_there_are_recorded_or_held_to_the_table(plan, lock, tmp_path):
    plan.path("geo", "GSM12/a.h5")
    ((file, origin),) = plan.origins.items()
    assert not record(origin, file, plan.folder, lock)
    path = tmp_path / "raw" / file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"counts")
    assert record(origin, file, plan.folder, lock)
    assert lock.get(file).sha256 == sha256(b"counts")
    path.write_bytes(b"other")
    with pytest.raises(InputError, match="Its source has changed"):
        record(origin, file, plan.folder, lock)


def test_a_table_that_is_none_is_named(lock):
    lock.path.parent.mkdir()
    lock.path.write_text("a\tb\n1\t2\n")
    with pytest.raises(InputError, match="is not a table of file, address"):
        lock.rows()
    lock.path.unlink()
    assert lock.add(Locked("x", size="1")).recorded.count("-") == 2
    assert lock.rows()["x"].size == "1" and lock.rows()["x"].revision == ""
