"""The preflight: problems that would stop a run later are listed in one table, with fixes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench.stand_in_answers import COMMIT
from bench.stand_ins import serving
from sagefm.common.errors import InputError
from sagefm.downloads.plan import Origin
from sagefm.preflight import packages, services
from sagefm.preflight.checks import Check, as_text, checks_table
from sagefm.preflight.gpu import gpu_checks
from sagefm.preflight.packages import locked, package_checks

TOKEN = "hf_secret0123456789"
REPOSITORY = "owner/gated"


# The table


def test_what_is_to_be_mended_comes_first_with_its_remedy():
    checks = [Check("disk", "1 GB free"), Check("GPU", "none is visible", "run `make env`")]
    table = checks_table(checks)
    assert [*table["check"]] == ["GPU", "disk"]
    assert [*table["verdict"]] == ["fix this", "ok"]
    first, remedy, last = as_text(table).splitlines()
    assert first == "fix this  GPU   none is visible"
    assert remedy.strip() == "-> run `make env`"
    assert last == "ok        disk  1 GB free"


# Packages


def test_the_lock_is_what_runs_here(repo):
    (check,) = package_checks(repo / "envs")
    assert check.verdict == "ok", check


def write_lock(folder: Path, *lines: str) -> Path:
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n")
    (folder / "torch.txt").write_text("# which build is another question\ntorch==9.9.9\n")
    return folder


def test_other_versions_and_missing_packages_are_named(tmp_path):
    envs = write_lock(
        tmp_path,
        "numpy==0.1.0 \\\n    --hash=sha256:0",
        "nosuchpackage==1.0 \\",
        "windowsonly==1.0 ; sys_platform == 'win32' \\",
    )
    assert set(locked(envs)) == {"numpy", "nosuchpackage", "torch"}
    (check,) = package_checks(envs)
    assert check.verdict == "fix this"
    for words in (
        "numpy is ",
        "not 0.1.0",
        "nosuchpackage is missing",
        f"torch is {torch.__version__}",
    ):
        assert words in check.found
    assert "make env" in check.remedy


def test_a_conda_environment_of_one_chapter_lacks_the_others(tmp_path, monkeypatch):
    envs = write_lock(tmp_path, "nosuchpackage==1.0 \\")
    (envs / "torch.txt").write_text("")
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(packages.sys, "prefix", str(tmp_path))
    assert package_checks(envs)[0].verdict == "ok"


# The GPU


def test_no_gpu_where_one_is_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    (check,) = gpu_checks(1)
    assert check.verdict == "fix this"
    assert "a build for CPUs" in check.found and "make env TORCH=cuda" in check.remedy
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    (check,) = gpu_checks(1)
    assert "ask for a node with a GPU" in check.remedy


@pytest.fixture
def one_gpu(monkeypatch):
    """A machine that torch takes for one with a GPU, whose products the CPU computes."""
    properties = SimpleNamespace(name="Some GPU", total_memory=80e9)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device: tensor)


def test_a_gpu_is_named_and_computes(one_gpu):
    seen, computes = gpu_checks(1)
    assert seen.verdict == computes.verdict == "ok"
    assert "Some GPU with 80 GB" in seen.found


def test_too_few_gpus(one_gpu):
    (check,) = gpu_checks(2)
    assert check.verdict == "fix this" and "asks for 2 GPUs" in check.remedy


def test_a_gpu_that_does_not_compute(one_gpu, monkeypatch):
    def fail(tensor, device):
        raise RuntimeError("CUDA error: no kernel image\nmore lines")

    monkeypatch.setattr(torch.Tensor, "to", fail)
    check = gpu_checks(1)[-1]
    assert check.verdict == "fix this" and check.found.endswith("no kernel image")
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device: tensor * 2)
    assert gpu_checks(1)[-1].found == "gives wrong products"


# Services


@contextmanager
def served(status: int, **headers: str) -> Iterator[str]:
    """A loopback server that answers everything alike; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            code = status
            if "auth-check" in self.path and self.headers["Authorization"] != f"Bearer {TOKEN}":
                code = 401
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("status", [200, 403, 404, 405])
def test_a_host_that_answers_is_reached(status):
    with served(status) as address:
        check = services.host_check(f"{address}/one")
    assert check.verdict == "ok"
    assert check.what == f"host {address.split('//')[1]}"


def test_a_host_in_trouble_or_out_of_reach():
    with served(503) as address:
        check = services.host_check(address)
    assert check.verdict == "fix this" and "503" in check.found
    check = services.host_check(address)  # which is gone now
    assert check.verdict == "fix this"
    assert check.found == "does not answer (ConnectionRefusedError)"
    assert "HTTPS_PROXY" in check.remedy


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """`hub_check` with no token but the one given, at another endpoint."""
    from huggingface_hub import constants

    def check(address: str, token: str | None) -> Check:
        monkeypatch.delenv("HF_TOKEN", raising=False)
        if token:
            monkeypatch.setenv("HF_TOKEN", token)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setenv("HF_ENDPOINT", address)
        return services.hub_check(REPOSITORY)

    return check


def test_a_token_that_is_accepted(hub):
    with served(200) as address:
        assert hub(address, TOKEN) == Check(f"access to {REPOSITORY}", "the token is accepted")


def test_no_token(hub):
    with served(200) as address:
        check = hub(address, None)
    assert check.found == "is gated, and there is no token"
    assert f"/datasets/{REPOSITORY}" in check.remedy and "HF_TOKEN" in check.remedy


def test_a_token_without_access_a_bad_one_and_a_hub_in_trouble(hub):
    with served(403, X_Error_Code="GatedRepo") as address:
        check = hub(address, TOKEN)
    assert check.found == "the token's account has none" and "ask for it" in check.remedy
    with served(200) as address:
        refused = hub(address, "hf_another")
    assert refused.found == "the token is refused"
    with served(500) as address:
        assert hub(address, TOKEN).found == "the hub answers 500"
    assert "does not answer" in hub(address, TOKEN).found
    for found in (check, refused):
        assert TOKEN not in str(found) and "hf_another" not in str(found)


ADDRESSES = {
    "geo": "GSM1/GSM1_counts.h5",
    "figshare": "20304456/sample_1.Robj",
    "dryad": "10.5061/dryad.x/all.zip",
    "git_lfs": f"me/code@{COMMIT}/model.pt",
}


def raw_file(name: str, address: str) -> tuple[str, str]:
    """Under which name a stand-in has the file of an address."""
    return ("git", address.replace("@", "/")) if name == "git_lfs" else (name, address)


def test_every_service_is_asked_once_for_what_is_wanted(monkeypatch):
    with serving() as stand_ins:
        for name, value in stand_ins.environment().items():
            monkeypatch.setenv(name, value)
        for name, address in ADDRESSES.items():
            stand_ins.files[raw_file(name, address)] = b"content"
        wanted = [Origin(*item) for item in ADDRESSES.items()] * 2
        checks = services.access_checks(wanted)
        assert {check.verdict for check in checks} == {"ok"}, checks
        assert len(stand_ins.paths("/v2/articles")) == 2  # one page, and the empty one behind it
        # What is not there, and an account that is missing, are told by the source's own sentence.
        del stand_ins.files[raw_file("figshare", ADDRESSES["figshare"])]
        monkeypatch.delenv("DRYAD_CLIENT_ID")
        told = checks_table(services.access_checks(wanted))
    bad = told[told["verdict"] == "fix this"].set_index("check")["remedy"]
    assert set(bad.index) == {"figshare", "dryad 10.5061/dryad.x"}
    assert "has no file `sample_1.Robj`" in bad["figshare"]
    assert "DRYAD_CLIENT_ID" in bad["dryad 10.5061/dryad.x"]


def test_of_a_data_set_the_first_file_by_name_is_asked_for(monkeypatch):
    asked = []

    def locate(source: str, address: str):
        asked.append(address)
        raise InputError("not here.")

    monkeypatch.setattr(services, "locate", locate)
    wanted = [Origin("hest", name) for name in ("TENX2", "TENX1", "TENX3")]
    for order in (wanted, wanted[::-1]):
        services.access_checks(order)
    assert asked == ["TENX1", "TENX1"]
