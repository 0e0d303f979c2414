"""The methods text: for the real configs, correct, and only about what is in the config."""

import re

import pandas as pd
import pytest
import yaml

from sagefm.common.io import read_table
from sagefm.common.registry import SEARCH_PATH
from sagefm.config.schemas import load_schema, set_defaults
from sagefm.report.methods_text import methods_html, methods_text
from sagefm.report.provenance import PACKAGES
from support import helpers

SECTIONS = pd.DataFrame(
    {
        "cohort": ["atlas", "breast"],
        "sample": ["1", "2"],
        "patient": ["A", "B"],
        "organ": ["Heart", "Breast"],
        "part": ["train", "scored only"],
        "n_spots": [1200, 300],
    }
)


@pytest.fixture(scope="module")
def software(repo) -> pd.DataFrame:
    return read_table(repo / "resources/software.tsv", dtype=str)


def text_of(repo, software, name: str = "config", **changes) -> str:
    config = yaml.safe_load((repo / f"config/{name}.yaml").read_text()) | changes
    set_defaults(config, load_schema("config"))
    provenance = {
        "version": "1.2",
        "code": "1.2 (abc)",
        "config_sha256": "f" * 64,
        "python": "3.11.1",
        "platform": "Linux x86_64",
        "packages": dict.fromkeys(PACKAGES, "9.9"),
        "config": config,
    }
    cohorts = list(config["cohorts"])
    sections = SECTIONS.assign(cohort=[cohorts[0], cohorts[:2][-1]])
    trained = {"paper": {"best_epoch": 4, "epochs": 5, "parameters": 31405790}}
    template = (repo / "workflow/report/report/methods.rst").read_text()
    return methods_text(template, provenance, sections, software, trained, 14558)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", ["config", "paper"])
def test_the_text_is_sound_and_of_the_config(name, repo, software):
    text = text_of(repo, software, name)
    page = methods_html(text)  # raises if it is no sound reStructuredText
    assert "system-message" not in page and "{" not in text
    for words in (
        "2 sections of 2 patients (1,500 spots after quality control)",
        "panel of 14,558 symbols",
        "a graph convolutional network, 1024, 512, 512, 512 and 1024",
        "30% of the genes hidden; mean squared error; learning rate 5e-05",
        "version 1.2 (code 1.2 (abc), config ffffffffffffffff)",
        "epoch 4 of 5; 31,405,790 parameters",
        "tested by sign flips over inputs and corrected by Holm",  # as perturbation.summary does
    ):
        assert words in flat(text), words
    assert all(len(line) <= 100 for line in text.splitlines() if not line.startswith(" "))


def test_a_network_in_a_file_of_the_users_own(repo, software, tmp_path, monkeypatch):
    monkeypatch.setenv(SEARCH_PATH, str(tmp_path))
    helpers.install_examples(tmp_path)
    models = yaml.safe_load((repo / "config/config.yaml").read_text())["models"]
    models["paper"]["network"] = "one_layer"
    assert "a single matrix, 1024, 512" in flat(text_of(repo, software, models=models))


def test_what_a_run_leaves_out_is_not_told(repo, software):
    whole = text_of(repo, software)
    assert "**Recovery.**" in whole and "**Screen.**" in whole and "**Annotation.**" in whole
    less = text_of(repo, software, recovery={}, screen={}, tasks={})
    for chapter in ("Recovery", "Screen", "Annotation"):
        assert f"**{chapter}.**" not in less


def test_a_users_title_is_no_markup(repo, software):
    config = yaml.safe_load((repo / "config/config.yaml").read_text())
    cohorts = {**config["cohorts"], "breast": {**config["cohorts"]["breast"], "title": "a*b_ |`c"}}
    page = methods_html(text_of(repo, software, cohorts=cohorts))
    assert "a*b_ |`c" in page


def test_every_package_of_provenance_has_its_row_and_a_stated_doi(software):
    assert list(software["package"]) == sorted(PACKAGES, key=str.lower)
    assert set(software) == {"package", "purpose", "citation", "doi", "stated_in"}
    known = software[software["doi"] != "-"]
    assert all(re.fullmatch(r"10\.\d{4,}/\S+", doi) for doi in known["doi"])
    assert not known["stated_in"].str.match("-|workflow/").any()  # others say so, not we
    assert set(software.loc[software["doi"] == "-", "package"]) == {"h5py", "scikit-learn"}
