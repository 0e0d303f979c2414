"""Provenance: everything two runs must share, and nothing secret."""

import hashlib
import json
import subprocess
import sys

import h5py
import pytest

import sagefm
from sagefm.report.provenance import (
    PACKAGES,
    code_version,
    config_hash,
    data_checksums,
    package_versions,
    provenance,
)

CONFIG = {"run": "demo", "models": {"paper": {"widths": [32, 16]}}}


@pytest.fixture
def samples(tmp_path) -> list:
    """Two harmonised samples, of which provenance reads the source's checksum alone."""
    paths = []
    for name in ("one", "two"):
        paths.append(tmp_path / f"{name}.h5ad")
        with h5py.File(paths[-1], "w") as file:
            facts = {"cohort": "atlas", "sample": name}
            facts["source_sha256"] = hashlib.sha256(name.encode()).hexdigest()
            for key, value in facts.items():
                file[f"uns/provenance/{key}"] = value
    return paths


def test_the_hash_is_of_the_content_not_of_its_order():
    turned = {"models": {"paper": {"widths": [32, 16]}}, "run": "demo"}
    assert config_hash(CONFIG) == config_hash(turned)
    assert len(config_hash(CONFIG)) == 64


@pytest.mark.parametrize(
    "other",
    [
        {**CONFIG, "run": "demo2"},
        {**CONFIG, "qc": {}},
        {**CONFIG, "models": {"paper": {"widths": [16, 32]}}},
        {**CONFIG, "models": {"paper2": {"widths": [32, 16]}}},
    ],
)
def test_any_change_of_the_config_changes_the_hash(other):
    assert config_hash(other) != config_hash(CONFIG)


def test_all_of_it(samples):
    facts = provenance(CONFIG, "1.0 (abc)", samples)
    assert facts["config"] == CONFIG
    assert facts["config_sha256"] == config_hash(CONFIG)
    assert facts["code"] == "1.0 (abc)"
    assert facts["version"] == sagefm.__version__
    assert facts["python"] == sys.version.split()[0]
    assert set(facts["packages"]) == set(PACKAGES)
    assert facts["data_sha256"] == {
        f"atlas/{name}": hashlib.sha256(name.encode()).hexdigest() for name in ("one", "two")
    }
    assert json.loads(json.dumps(facts)) == facts
    assert provenance(CONFIG, "1.0 (abc)", samples) == facts


def test_checksums_need_no_file_but_the_samples(samples):
    assert list(data_checksums(samples[:1])) == ["atlas/one"]


def test_packages_are_the_installed_ones():
    import numpy
    import torch

    found = package_versions()
    assert found["numpy"] == numpy.__version__
    assert found["torch"] == torch.__version__
    assert package_versions(["no-such-package"]) == {"no-such-package": None}


def test_nothing_of_the_environment_is_written_down(samples, monkeypatch):
    secrets = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN")
    for number, name in enumerate(secrets):
        monkeypatch.setenv(name, f"hush-{number}")
    text = json.dumps(provenance(CONFIG, "1.0", samples))
    assert "hush" not in text
    assert not [name for name in secrets if name in text]


def git(folder, *arguments: str) -> None:
    names = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


def test_code_is_the_commit_and_whether_it_was_changed(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "Snakefile").write_text("one\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "one")
    clean = code_version(tmp_path)
    assert clean.startswith(f"{sagefm.__version__} (")
    assert "dirty" not in clean
    (tmp_path / "Snakefile").write_text("two\n")
    assert code_version(tmp_path) == clean.replace(")", "-dirty)")


def test_code_without_a_repository_or_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert code_version(tmp_path) == sagefm.__version__
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_version(tmp_path) == sagefm.__version__
