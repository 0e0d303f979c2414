"""Results in README and docs are generated from the committed tables, and only from them."""

import re
import shutil

import pandas as pd
import pytest

from sagefm.common.errors import InputError
from sagefm.report import findings


@pytest.fixture
def run(tmp_path):
    """The folder of a run with two tables."""
    folder = tmp_path / "results/tiny"
    recovery = folder / "recovery/paper/breast"
    recovery.mkdir(parents=True)
    (folder / "scoreboard.tsv").write_text("claim\tobtained\n1\t3 samples\n")
    pd.DataFrame(
        {
            "stratum_kind": ["all", "organ"],
            "predictor": ["model", "model"],
            "recovered_p05": [0.4203606, 0.9],
        }
    ).to_csv(recovery / "summary.tsv", sep="\t", index=False)
    return folder


@pytest.fixture
def kept(run, tmp_path):
    """The folder that its tables are kept in."""
    findings.collect(run, tmp_path / "docs/results/tiny")
    return tmp_path / "docs/results"


def test_the_rows_that_are_quoted_are_kept_with_the_parts_of_their_path(kept):
    found = findings.KeptTables(kept / "tiny").rows("recovery")
    assert found == [
        {
            "stratum_kind": "all",
            "predictor": "model",
            "recovered_p05": 0.42036,
            "model": "paper",
            "cohort": "breast",
        }
    ]


def test_a_chapter_that_did_not_run_keeps_nothing(kept):
    assert {path.name for path in (kept / "tiny").iterdir()} == {"scoreboard.tsv", "recovery.tsv"}


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no table to keep"):
        findings.collect(tmp_path, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_a_text_is_filled_between_its_markers(kept, tmp_path):
    (tmp_path / "t.md").write_text(
        '{% set own = tiny.row("recovery", model="paper") %}\n'
        "{{ own.recovered_p05 | percent }} and "
        "{{ (100 * own.recovered_p05 - 50) | number('+.1f') }}.\n"
    )
    text = "Before.\n<!-- from t.md -->\nold\n<!-- end of t.md -->\nAfter.\n"
    filled = findings.fill(text, kept, tmp_path)
    assert filled == text.replace("old", "42.0% and −8.0.")
    assert findings.fill(filled, kept, tmp_path) == filled


@pytest.mark.parametrize("model", ["other", "paper"])
def test_a_template_that_asks_for_no_single_row_is_refused(kept, tmp_path, model):
    if model == "paper":
        table = kept / "tiny/recovery.tsv"
        table.write_text(table.read_text() + table.read_text().splitlines()[1] + "\n")
    (tmp_path / "t.md").write_text(f'{{{{ tiny.row("recovery", model="{model}") }}}}')
    with pytest.raises(InputError, match=rf"recovery\.tsv: [02] rows have model {model}, not one"):
        findings.render("t.md", kept, tmp_path)


@pytest.mark.parametrize(
    ("value", "words"), [(-0.0312, "−0.031"), (0.5, "0.500"), (float("nan"), "-")]
)
def test_numbers_have_a_true_minus_or_a_dash(value, words):
    assert findings.number(value) == words


def test_documents_are_what_the_committed_tables_make_of_them(repo, monkeypatch):
    monkeypatch.chdir(repo)
    filled = 0
    for document in findings.documents():
        text = document.read_text()
        filled += text.count("<!-- from ")
        assert findings.fill(text) == text, f"{document} is stale. Fix: run `make findings`."
    assert filled


def test_light_can_be_told_without_novae(repo, tmp_path):
    """`make light` alone: novae.yaml adds Novae to it."""
    shutil.copytree(repo / "docs/results", tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "light").glob("*.tsv"):
        table = pd.read_csv(path, sep="\t")
        is_novae = (table == "novae").any(axis=1)
        table[~is_novae].to_csv(path, sep="\t", index=False)
    whole, without = (
        findings.render("light.md", results) for results in (findings.RESULTS, tmp_path)
    )
    assert "| Novae |" in whole and "Novae" not in without
    assert whole.count("\n| ") == without.count("\n| ") + 2


def test_templates_type_no_result(repo):
    """A share, correlation or error in a template would be typed, not made."""
    for template in (repo / "docs/templates").iterdir():
        words = re.sub(r"{[{%#].*?[}%#]}", "", template.read_text(), flags=re.DOTALL)
        words = words.replace("p < 0.05", "")  # the level of the tests
        assert not re.findall(r"\d%|\d\.\d|−\d", words), template


def test_readme_is_short_and_its_links_lead_somewhere(repo):
    assert (repo / "README.md").stat().st_size < 7000
    for document in (repo / "README.md", *(repo / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_every_page_of_docs_is_reached_from_readme(repo):
    text = (repo / "README.md").read_text()
    assert [p.name for p in (repo / "docs").glob("*.md") if f"(docs/{p.name})" not in text] == []
