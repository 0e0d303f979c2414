"""Statements about a release agree: version, licence, and where data licences are listed."""

import os
import re
import subprocess
import tomllib

import pytest
import yaml

import sagefm


@pytest.fixture(scope="module")
def project(repo) -> dict:
    return tomllib.loads((repo / "pyproject.toml").read_text())["project"]


def test_one_version(repo, project):
    citation = yaml.safe_load((repo / "CITATION.cff").read_text())
    changes = re.findall(r"^## (\S+)", (repo / "CHANGELOG.md").read_text(), re.M)
    assert project["dynamic"] == ["version"]  # read from the library
    assert (
        sagefm.__version__
        == citation["version"]
        == next(one for one in changes if one != "Unreleased")
    )
    assert re.fullmatch(r"\d+\.\d+\.\d+", sagefm.__version__)


def test_one_licence(repo, project):
    citation = yaml.safe_load((repo / "CITATION.cff").read_text())
    assert project["license"] == citation["license"] == "MIT"
    assert (repo / "LICENSE").read_text().startswith("MIT License")


def test_a_citation_has_what_the_format_wants(repo):
    citation = yaml.safe_load((repo / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    (paper,) = citation["references"]
    assert "2601.15504" in paper["url"]
    assert paper["authors"] and all({"family-names"} <= set(author) for author in paper["authors"])


def test_data_that_are_bundled_have_their_licence_listed(repo):
    """Every folder of resources, and every sheet of others' facts, is in the table of licences."""
    listed = (repo / "docs/licences.md").read_text()
    for folder in sorted((repo / "resources").iterdir()):
        if (folder / "README.md").is_file():
            assert f"`resources/{folder.name}/" in listed, folder.name
    assert "`config/samples/hest.tsv`" in listed and "CC BY-NC-SA 4.0" in listed


def test_the_catalog_reads_its_settings(repo):
    """Keys of https://snakemake.github.io/snakemake-workflow-catalog, and files it asks for."""
    usage = yaml.safe_load((repo / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["software-stack-deployment"]["conda"] is True
    assert (repo / "Snakefile").is_file() and (repo / "config/README.md").is_file()


def test_the_files_a_contributor_is_sent_to_are_there(repo):
    text = "".join((repo / name).read_text() for name in ("CONTRIBUTING.md", "docs/extending.md"))
    named = re.findall(r"`((?:workflow|config|tests|resources|envs|\.ci)/[\w./-]+)`", text)
    named = [path for path in named if not re.search(r"\b(X|NAME)\b", path)]
    assert len(named) > 5
    for path in named:
        assert (repo / path).exists(), path
    targets = re.findall(r"^([a-z-]+):", (repo / "Makefile").read_text(), re.M)
    assert set(re.findall(r"make ([a-z][a-z-]*)", text)) <= set(targets)


def test_make_help_lists_every_target(repo):
    text = (repo / "Makefile").read_text()
    named = set(re.findall(r"^([a-z-]+):.*## ", text, re.M))
    groups = re.search(r"^GROUPS := (.*)$", text, re.M)[1]
    assert set(re.findall(r"[a-z-]+(?=[,|]|$)", re.sub(r"[A-Z][a-z ]+:", "", groups))) == named


@pytest.mark.parametrize("threads", ["1", ""])
def test_a_run_has_the_machines_cores_whatever_threads_a_shell_allows(repo, threads):
    environment = {key: value for key, value in os.environ.items() if key != "CORES"}
    environment |= {"OMP_NUM_THREADS": threads}
    shown = subprocess.run(
        ["make", "help"], cwd=repo, env=environment, capture_output=True, text=True, check=True
    )
    assert f"CORES={len(os.sched_getaffinity(0))} " in shown.stdout
