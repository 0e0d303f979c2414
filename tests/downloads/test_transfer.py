"""Downloads under faults are resumed, refused or abandoned, and never leave a partial file."""

import errno
import os
from dataclasses import replace

import pytest

from bench.stand_in_answers import sha256
from bench.stand_ins import Fault
from sagefm.common.errors import InputError
from sagefm.downloads import retry, transfer
from sagefm.downloads.sources.base import Remote

CONTENT = os.urandom(400_000)


@pytest.fixture
def services(server, monkeypatch):
    """The server, as if just started; pauses between attempts are short."""
    server.files = {("web", "big.bin"): CONTENT}
    server.faults, server.ranges = {}, True
    server.asked.clear()
    server.most_open = 0
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(retry, "LONGEST_PAUSE", 0.02)
    return server


@pytest.fixture
def remote(services) -> Remote:
    url = f"{services.url}/web/big.bin"
    return Remote(f"{url}?Signature=secret", size=len(CONTENT), sha256=sha256(CONTENT))


@pytest.fixture
def place(tmp_path):
    return tmp_path / "raw/big.bin"


def assert_whole(place):
    assert place.read_bytes() == CONTENT
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def refused(remote, place) -> str:
    """The sentence of a download that fails; nothing stands under the file's name."""
    with pytest.raises(InputError) as caught:
        transfer.transfer(remote, place)
    assert not place.exists()
    sentence = str(caught.value)
    assert "\n" not in sentence and "Signature" not in sentence
    return sentence


def test_a_file_comes_whole(remote, place):
    assert transfer.transfer(remote, place) == sha256(CONTENT)
    assert_whole(place)


def test_nothing_need_be_known_beforehand(remote, place):
    assert transfer.transfer(Remote(remote.url), place) == sha256(CONTENT)
    assert_whole(place)


def test_a_broken_connection_is_resumed_not_restarted(services, remote, place):
    services.faults["/web/big.bin"] = Fault(drop_after=150_000, times=2)
    transfer.transfer(remote, place)
    assert_whole(place)
    ranges = services.ranges_asked("big.bin")
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in ranges[1:]]
    assert ranges[0] is None and len(starts) == 2
    assert 0 < starts[0] < starts[1] < len(CONTENT)


def test_what_an_earlier_process_brought_is_used(services, remote, place, monkeypatch):
    services.faults["/web/big.bin"] = Fault(drop_after=200_000)
    monkeypatch.setattr(retry, "ATTEMPTS", 1)
    assert "what has arrived is kept" in refused(remote, place)
    services.asked.clear()
    transfer.transfer(remote, place)
    assert_whole(place)
    (asked,) = services.ranges_asked("big.bin")
    assert int(asked.removeprefix("bytes=").rstrip("-")) > 100_000


def test_progress_pardons_earlier_failures(services, remote, place, monkeypatch):
    services.faults["/web/big.bin"] = Fault(drop_after=70_000, times=5)
    monkeypatch.setattr(retry, "ATTEMPTS", 2)
    transfer.transfer(remote, place)
    assert_whole(place)


def test_a_server_without_ranges_is_taken_from_the_start(services, remote, place):
    services.faults["/web/big.bin"] = Fault(drop_after=150_000)
    services.ranges = False
    transfer.transfer(remote, place)
    assert_whole(place)


def test_a_file_that_changed_in_between_is_no_patchwork(services, remote, place, monkeypatch):
    services.faults["/web/big.bin"] = Fault(drop_after=150_000)
    monkeypatch.setattr(retry, "ATTEMPTS", 1)
    unknown = Remote(remote.url)
    refused(unknown, place)
    new = os.urandom(300_000)
    services.files["web", "big.bin"] = new
    assert transfer.transfer(unknown, place) == sha256(new)
    assert place.read_bytes() == new


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_passing_failures_pass(services, remote, place, status):
    services.faults["/web/big.bin"] = Fault(status, times=3)
    transfer.transfer(remote, place)
    assert_whole(place)
    assert len(services.paths("big.bin")) == 4


def test_a_server_is_asked_again_when_it_says(services, remote, place, monkeypatch):
    pauses = []
    monkeypatch.setattr(retry.time, "sleep", pauses.append)
    services.faults["/web/big.bin"] = Fault(429, headers={"Retry-After": "7"})
    transfer.transfer(remote, place)
    assert pauses == [7.0]
    assert_whole(place)


def test_too_long_a_wait_is_not_waited_for(services, remote, place):
    services.faults["/web/big.bin"] = Fault(503, headers={"Retry-After": "86400"})
    assert "503" in refused(remote, place)
    assert len(services.paths("big.bin")) == 1


def test_a_server_that_stays_down_is_given_up(services, remote, place):
    services.faults["/web/big.bin"] = Fault(500, times=99)
    assert "500; given up after 8 attempts" in refused(remote, place)
    assert len(services.paths("big.bin")) == retry.ATTEMPTS


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "access is denied (401)"),
        (403, "access is denied (403)"),
        (404, "nothing is there (404). Fix: correct the address"),
        (410, "nothing is there"),
        (418, "the server answers 418"),
    ],
)
def test_final_failures_are_final(services, remote, place, status, words):
    services.faults["/web/big.bin"] = Fault(status, times=99)
    assert words in refused(remote, place)
    assert len(services.paths("big.bin")) == 1


def test_a_page_where_a_file_was_expected(services, remote, place):
    page = Fault(200, body=b"<html>Log in</html>", type="text/html; charset=utf-8", times=99)
    services.faults["/web/big.bin"] = page
    assert "the server returned a web page instead of a file" in refused(Remote(remote.url), place)
    services.faults["/web/big.bin"] = replace(page, times=99)
    transfer.transfer(Remote(remote.url, html=True), place)
    assert place.read_bytes() == b"<html>Log in</html>"


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        ({"sha256": "0" * 64}, "sha256"),
        ({"md5": "0" * 32}, "md5"),
        ({"size": len(CONTENT) + 1}, "size"),
    ],
)
def test_what_is_not_as_promised_is_thrown_away(services, remote, place, promise, words):
    assert f"the download has {words}" in refused(replace(remote, **promise), place)
    assert not list(place.parent.iterdir())


def test_wrong_content_of_the_right_size(services, remote, place):
    services.files["web", "big.bin"] = os.urandom(len(CONTENT))
    assert "it was removed" in refused(remote, place)
    services.files["web", "big.bin"] = CONTENT
    transfer.transfer(remote, place)
    assert_whole(place)


def test_a_full_disk_ends_in_its_sentence_and_keeps_what_came(remote, place, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transfer.os, "fsync", full)
    assert "no space left on the disk" in refused(remote, place)
    monkeypatch.undo()
    transfer.transfer(remote, place)
    assert_whole(place)


def test_nobody_answers(place, monkeypatch):
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    sentence = refused(Remote("http://127.0.0.1:9/x.bin"), place)
    assert "the connection failed" in sentence and "given up" in sentence


def test_answers_are_asked_for_again_too(services):
    services.files["web", "a.json"] = b'{"a": 1}'
    services.faults["/web/a.json"] = Fault(503, times=2)
    assert transfer.get_json(f"{services.url}/web/a.json") == {"a": 1}
    services.files["web", "a.json"] = b"<html>"
    with pytest.raises(InputError, match="is not JSON"):
        transfer.get_json(f"{services.url}/web/a.json")
    assert transfer.get_text(f"{services.url}/web/a.json", largest=3) == "<ht"


def test_connections_to_a_host_are_counted(tmp_path):
    url = "https://example.org/x"
    with (
        transfer.slot(tmp_path, url, 2),
        transfer.slot(tmp_path, url, 2),
        transfer.slot(tmp_path, "https://other.org/x", 1),
    ):
        taken = [transfer.FileLock(tmp_path / f"example.org.{i}.lock") for i in range(2)]
        for lock in taken:
            with pytest.raises(transfer.Timeout):
                lock.acquire(blocking=False)
    with transfer.slot(tmp_path, url, 2):
        taken[1].acquire(blocking=False)
        taken[1].release()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("12", 12.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), (None, None)],
)
def test_retry_after(value, seconds):
    headers = {} if value is None else {"Retry-After": value}
    assert retry.retry_after(headers) == seconds
