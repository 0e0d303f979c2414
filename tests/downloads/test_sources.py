"""Sources: what an address means, where it is fetched from, and errors if it is not found."""

import hashlib
from pathlib import Path

import pytest

from bench.stand_in_answers import COMMIT, DRYAD_TOKEN, LFS_TOKEN, TOKEN, sha256
from bench.stand_ins import Fault
from sagefm.common.errors import InputError
from sagefm.config.schemas import load_schema
from sagefm.config.sheets import read_samples
from sagefm.downloads import retry
from sagefm.downloads.fetch import bring
from sagefm.downloads.lock import LockTable
from sagefm.downloads.plan import RawPlan
from sagefm.downloads.sources.registry import is_fetched, load_source, locate, names, raw_file
from support import helpers

FILES = {
    ("hub", "st/TENX1.h5ad"): b"counts",
    ("geo", "GSM6339631/a b#1.csv.gz"): b"positions",
    ("geo", "GSE208253/GSE208253_RAW.tar"): b"tar",
    ("figshare", "20304456/sample_1.Robj"): b"labels",
    ("dryad", "10.5061/dryad.abc/README.md"): b"readme",
    ("dryad", "10.5061/dryad.abc/10XVisium_2.zip"): b"zip",
    ("git", f"o/n/{COMMIT}/A Model/x.pt"): b"weights",
    ("web", "x.csv"): b"a,b",
}


@pytest.fixture
def services(server, monkeypatch):
    server.files, server.faults, server.token_needed = dict(FILES), {}, True
    server.asked.clear()
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DRYAD_TOKEN", raising=False)
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    return server


def refused(source, address) -> str:
    with pytest.raises(InputError) as caught:
        locate(source, address)
    assert "\n" not in str(caught.value)
    for secret in (TOKEN, DRYAD_TOKEN, LFS_TOKEN, "NobodyMaySee"):
        assert secret not in str(caught.value)
    return str(caught.value)


def test_the_sheets_know_every_source():
    for schema in ("samples", "label_files"):
        assert load_schema(schema)["properties"]["source"]["enum"] == list(names())
    assert [name for name in names() if not is_fetched(name)] == ["local"]


def test_a_source_is_added_by_one_file(tmp_path, monkeypatch, services):
    helpers.install_examples(tmp_path / "own")
    monkeypatch.setenv("SAGEFM_PATH", str(tmp_path / "own"))
    monkeypatch.setenv("INSTITUTE_ENDPOINT", f"{services.url}/web")
    for schema in ("samples", "label_files"):
        assert "institute" in load_schema(schema)["properties"]["source"]["enum"]
    (tmp_path / "sheet.tsv").write_text(
        "sample\tsource\tpath_or_id\torgan\tpatient\ns1\tinstitute\tx.csv\tEye\t\n"
    )
    (row,) = read_samples(tmp_path / "sheet.tsv", "mine").to_dict("records")
    plan = RawPlan(str(tmp_path / "raw"))
    path = plan.section(row)
    assert path == f"{tmp_path}/raw/institute/x.csv"
    ((file, origin),) = plan.origins.items()
    bring(origin, file, plan.folder, LockTable(tmp_path / "lock.tsv"), per_host=1)
    assert Path(path).read_bytes() == b"a,b"


@pytest.mark.parametrize(
    ("source", "address", "path"),
    [
        ("local", "here/a.h5ad", "here/a.h5ad"),
        ("hest", "TENX152", "raw/hest/st/TENX152.h5ad"),
        ("hub", "me/set@v1/st/a.h5ad", "raw/hub/me/set@v1/st/a.h5ad"),
        ("geo", "GSM12/a#b.h5", "raw/geo/GSM12/a#b.h5"),
        ("geo", "GSE1/x_RAW.tar::a.h5", "raw/geo/GSE1/x_RAW.tar.contents/a.h5"),
        (
            "dryad",
            "10.5061/dryad.abc/V 2.zip::#UKF1/outs/a.h5",
            "raw/dryad/10.5061/dryad.abc/V 2.zip.contents/#UKF1/outs/a.h5",
        ),
        ("figshare", "203/s.Robj", "raw/figshare/203/s.Robj"),
        ("git_lfs", f"o/n@{COMMIT}/A M/x.pt", f"raw/git_lfs/o/n@{COMMIT}/A M/x.pt"),
        ("url", "https://e.org/d/a%20b.csv?v=1/2", "raw/url/e.org/d/a b.csv?v=1_2"),
    ],
)
def test_an_address_stands_for_one_file(source, address, path):
    assert raw_file(source, address, "raw") == path


@pytest.mark.parametrize(
    ("source", "address", "words"),
    [
        ("hest", "st/TENX152.h5ad", "is not an id of HEST-1k"),
        ("hub", "set/a.h5ad", "is not a file of a data set on the hub"),
        ("geo", "GSX12/a", "is not a supplementary file of GEO"),
        ("geo", "GSM12/../../etc/passwd", "is not a path inside"),
        ("geo", "GSE1/x_RAW.tar", "is an archive. Fix: name a file in it"),
        ("geo", "GSM1/a.h5::b", "is not an archive"),
        ("geo", "GSE1/x_RAW.tar::../b", "is not a path inside"),
        ("geo", "GSE1/x_RAW.tar::/etc/passwd", "is not a path inside"),
        ("dryad", "doi:10.5061/dryad.abc/x", "is not a file of a Dryad data set"),
        ("figshare", "s.Robj", "is not a file of a figshare article"),
        ("git_lfs", "o/n@main/x.pt", "the commit in full"),
        ("url", "http://e.org/a", "is not an https address"),
        ("url", "https://me:secret@e.org/a", "contains a name or password"),
        ("figshar", "1/a", "did you mean `figshare`"),
    ],
)
def test_what_is_no_address_is_told_by_sample(source, address, words):
    rows = [{"sample": "s1", "source": source, "path_or_id": address, "positions": ""}]
    with pytest.raises(InputError) as caught:
        RawPlan("raw").add_sheet(rows, "mine")
    assert str(caught.value).startswith("cohort mine, sample s1: ")
    assert words in str(caught.value) and "secret" not in str(caught.value)


def test_a_plan_lists_every_file_once():
    plan = RawPlan("raw")
    archive = "10.5061/dryad.abc/V.zip"
    rows = [
        {
            "sample": f"s{i}",
            "source": "dryad",
            "path_or_id": f"{archive}::{i}/a.h5",
            "positions": f"{archive}::{i}/p.csv",
        }
        for i in range(3)
    ]
    plan.add_sheet(rows, "gbm")
    assert [*plan.origins] == [f"dryad/{archive}"]
    assert plan.origins[f"dryad/{archive}"].address == archive
    assert plan.positions(rows[1]) == f"raw/dryad/{archive}.contents/1/p.csv"
    assert plan.path("local", "a.h5ad") == "a.h5ad" and len(plan.origins) == 1


def test_hest_is_of_one_revision_and_its_token_goes_to_the_hub_alone(services):
    found = locate("hest", "TENX1")
    assert found.url.endswith(f"/datasets/MahmoodLab/hest/resolve/{COMMIT}/st/TENX1.h5ad")
    assert (found.size, found.sha256, found.revision) == (6, sha256(b"counts"), COMMIT)
    assert TOKEN not in repr(found)
    services.asked.clear()
    locate("hest", "TENX1", "0" * 40)
    assert services.paths("paths-info") == [f"/api/datasets/MahmoodLab/hest/paths-info/{'0' * 40}"]
    assert len(services.asked) == 1  # what `main` is now is not asked for


def test_a_named_revision_of_the_hub_is_asked_for(services):
    locate("hub", "MahmoodLab/hest@v1/st/TENX1.h5ad")
    assert services.asked[0][0] == "/api/datasets/MahmoodLab/hest/revision/v1"


def test_a_gated_set_without_a_token(services, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    sentence = refused("hest", "TENX1")
    assert "is gated. Fix: ask for access at" in sentence and "set HF_TOKEN" in sentence
    assert len(services.asked) == 1


def test_a_gated_set_with_a_token_of_no_access(services, monkeypatch):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_another")
    assert "this token's account has no access" in refused("hest", "TENX1")
    assert len(services.asked) == 1


@pytest.mark.parametrize("token", ["hf_schl\u00fcssel", "hf_\u2026", "hf_a\x00b"])
def test_a_token_with_characters_that_no_token_has(services, monkeypatch, token):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: token)
    services.asked.clear()
    sentence = refused("hest", "TENX1")
    assert "contains a character that is not allowed in a token. Fix: copy it again" in sentence
    assert token not in sentence and services.asked == []


def test_the_hub_offline(monkeypatch):
    from huggingface_hub.errors import OfflineModeIsEnabled

    def offline(*args, **options):
        raise OfflineModeIsEnabled("offline")

    monkeypatch.setattr("huggingface_hub.HfApi.repo_info", offline)
    assert "but HF_HUB_OFFLINE is set. Fix: unset it" in refused("hest", "TENX1")


def test_a_token_the_hub_does_not_know(services):
    services.faults["/api/datasets/MahmoodLab/hest"] = Fault(
        401, headers={"X-Error-Message": "Invalid credentials in Authorization header"}
    )
    assert "does not accept this token (401)" in refused("hest", "TENX1")


def test_the_hub_is_asked_again(services):
    services.faults["/api/datasets/MahmoodLab/hest"] = Fault(503, times=2)
    assert locate("hest", "TENX1").revision == COMMIT


def test_a_section_that_hest_has_not(services):
    assert "has no file `st/TENX9.h5ad`" in refused("hest", "TENX9")


def test_geo_is_where_geo_says(services):
    found = locate("geo", "GSM6339631/a b#1.csv.gz")
    assert found.url.endswith("/geo/samples/GSM6339nnn/GSM6339631/suppl/a%20b%231.csv.gz")
    assert "/geo/series/GSE208nnn/GSE208253/suppl/" in locate("geo", "GSE208253/x.tar").url


def test_figshare_tells_the_sum(services):
    found = locate("figshare", "20304456/sample_1.Robj")
    assert (found.size, found.md5) == (6, hashlib.md5(b"labels").hexdigest())
    assert "did you mean `sample_1.Robj`" in refused("figshare", "20304456/sample_1.Rob")


def test_dryad_wants_an_account_for_files_alone(services, monkeypatch):
    found = locate("dryad", "10.5061/dryad.abc/10XVisium_2.zip")
    assert (found.size, found.sha256, found.revision) == (3, sha256(b"zip"), "77")
    assert found.headers == {"Authorization": f"Bearer {DRYAD_TOKEN}"}
    assert services.asked[0][0] == "/api/v2/datasets/doi%3A10.5061%2Fdryad.abc"
    for _, headers in services.asked:
        assert "authorization" not in headers
    services.asked.clear()
    locate("dryad", "10.5061/dryad.abc/README.md", "77")
    assert not services.paths("datasets")
    assert "has no file `x.zip`" in refused("dryad", "10.5061/dryad.abc/x.zip")
    monkeypatch.setenv("DRYAD_TOKEN", "mine")
    assert locate("dryad", "10.5061/dryad.abc/README.md").headers["Authorization"] == "Bearer mine"
    monkeypatch.delenv("DRYAD_TOKEN")
    monkeypatch.delenv("DRYAD_CLIENT_SECRET")
    assert "Dryad requires an account" in refused("dryad", "10.5061/dryad.abc/README.md")


def test_git_lfs_reads_pointer_and_batch(services):
    found = locate("git_lfs", f"o/n@{COMMIT}/A Model/x.pt")
    assert (found.size, found.sha256) == (7, sha256(b"weights"))
    assert found.headers == {"Authorization": LFS_TOKEN}
    assert services.asked[0][0] == f"/raw/o/n/{COMMIT}/A%20Model/x.pt"
    assert "nothing is there (404)" in refused("git_lfs", f"o/n@{COMMIT}/A Model/y.pt")
    services.faults[f"/raw/o/n/{COMMIT}/README"] = Fault(body=b"# hello")
    assert "not kept by Git LFS" in refused("git_lfs", f"o/n@{COMMIT}/README")
    gone = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
    services.faults[f"/raw/o/n/{COMMIT}/gone.pt"] = Fault(body=gone)
    assert "Git LFS answers 404" in refused("git_lfs", f"o/n@{COMMIT}/gone.pt")


def test_every_source_has_its_words():
    for name in names():
        assert load_source(name).HELP.startswith(("`", "the "))
