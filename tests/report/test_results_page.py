"""The results page: its verdict in words, its rows and lists; it needs no other file."""

import math
import re

import pandas as pd
import pytest

from sagefm.claims.scoreboard import scoreboard
from sagefm.common.claim import Claim, Glance, claims_table
from sagefm.common.io import read_table
from sagefm.report.results_page import (
    Figure,
    claim_rows,
    cohort_rows,
    cost_table,
    file_rows,
    render_results,
    rst_to_html,
    transfer_rows,
)
from sagefm.report.results_words import (
    compared_words,
    cost_words,
    data_words,
    paper_data_words,
    training_words,
    verdict_words,
)
from sagefm.representations.catalogue import Catalogue
from support import browser

IDS = ("recovery", "clustering", "annotation", "subtypes", "perturbation")
TRAINING = {
    **{"train_spots": 3191, "train_samples": 13, "seconds": 78.0, "device": "cpu"},
    **{"epochs": 5, "best_epoch": 5, "converged": False},
}


def board(repo, *outcomes: str, verdict: str = "proxy", lead: str = "-0.1") -> pd.DataFrame:
    """A scoreboard whose claims 2 to 6 have these outcomes, the later ones not computed."""
    claims = [
        Claim(
            name,
            "paper",
            "obtained",
            "reference",
            "n",
            verdict,
            "on <other> data; one reason; another",
            "a/table.tsv",
            outcome,
            "protocol",
            Glance("27% of genes", "depth: 52% of genes", lead),
        )
        for name, outcome in zip(IDS, outcomes, strict=False)
    ]
    reported = read_table(repo / "resources/reported.tsv", dtype=str)
    size = Claim("lightweight", "paper", "31 parameters", "-", "n", "inconclusive", "why", "a.tsv")
    return scoreboard(reported, [claims_table([size, *claims])])


def test_a_glance_names_the_best_of_the_known_references():

    def words(value: float, more: int) -> str:
        return f"{value:.{2 + more}f}"

    found = Glance.of(0.1, {"MOFA": 0.2, "BANKSY": 0.3, "other": math.nan}, words)
    assert found == Glance("0.10", "BANKSY: 0.30", "-0.2")
    assert Glance.of(0.1, {"other": math.nan}, words) == Glance("0.10")
    close = Glance.of(0.477, {"PCA": 0.481}, words)
    assert close == Glance("0.477", "PCA: 0.481", "-0.004")
    assert Glance.of(0.4, {"PCA": 0.4}, words) == Glance("0.40", "PCA: 0.40", "0")


def test_the_five_claims_are_rows_in_the_papers_order(repo):
    rows = claim_rows(board(repo, "held", "did not hold", "undecided"), "paper")
    assert [row["number"] for row in rows] == list("23456")
    assert [row["sign"] for row in rows] == ["✓", "✗", "?", "–", "–"]
    assert rows[0]["reasons"] == ["On <other> data", "One reason", "Another"]
    assert rows[0]["plain"] and rows[0]["figure"] == "figure_2_recovery"


def test_a_claim_judged_on_another_model_alone_is_no_row_of_this_one(repo):
    assert claim_rows(board(repo, "held"), "other")[0]["number"] == "3"


@pytest.mark.parametrize(
    ("outcomes", "verdict", "answer", "counts"),
    [
        (["held"] * 5, "supported", "Yes.", "Five claims tested: five held, none failed, none"),
        (["held"] * 5, "proxy", "Yes on these data.", "five held"),
        (["did not hold"] * 2, "contradicted", "No.", "Two claims tested: none held, two failed"),
        (["undecided"] * 5, "proxy", "Not shown in this run.", "none failed, five undecided."),
        (["did not hold", "undecided"], "proxy", "Not shown in this run.", "one failed, one und"),
        (["held", "undecided"], "proxy", "In part.", "one held, none failed, one undecided."),
        (["held"], "supported", "Yes.", "One claim tested"),
        ([], "proxy", "Not tested in this run.", "No claim on results"),
    ],
)
def test_the_verdict_is_counted_from_the_outcomes(repo, outcomes, verdict, answer, counts):
    found = verdict_words(claim_rows(board(repo, *outcomes, verdict=verdict), "paper"))
    assert found[0] == answer
    assert counts in found[1]


@pytest.mark.parametrize(("lead", "behind"), [("-0.1", "two"), ("0.1", "none")])
def test_how_often_an_alternative_scored_higher_is_counted(repo, lead, behind):
    rows = claim_rows(board(repo, "held", "undecided", lead=lead), "paper")
    assert verdict_words(rows)[1].endswith(f"higher than the model in {behind} of two.")


def test_a_training_is_described_by_its_summary():
    assert training_words("small", TRAINING) == (
        "The claims are judged on small, trained on 3,191 spots of 13 sections for 78 seconds "
        "on a CPU. Validation loss was still falling after 5 epochs."
    )
    assert "for 3 minutes on a GPU" in training_words(
        "small", TRAINING | {"seconds": 180.0, "device": "cuda"}
    )
    assert "released checkpoint" in training_words("small", {})


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (
            ["proxy", "proxy"],
            "These are not the paper's data: the results do not confirm or refute",
        ),
        (["supported", "inconclusive"], "These are the paper's data: each result counts"),
        (["proxy", "supported"], "Some of these are not the paper's data: results on them do not"),
        ([], ""),
    ],
)
def test_whether_results_count_is_said_of_the_data(verdicts, words):
    rows = [{"verdict": verdict, "outcome": "undecided"} for verdict in verdicts]
    absent = {"verdict": "not computed", "outcome": "-"}
    assert paper_data_words([*rows, absent]).startswith(words)
    assert bool(paper_data_words([*rows, absent])) == bool(words)


def test_data_are_named_with_their_size():
    cohort = {"title": "breast cancer", "patients": 1, "sections": 2, "spots": 3481}
    assert data_words([cohort]) == "breast cancer (1 patient, 2 sections, 3,481 spots)."
    assert data_words([cohort, cohort]).count("; breast") == 1
    assert data_words([]) == "No claim was scored."


def test_alternatives_are_named_by_what_they_are():
    words = {"title": "Theirs", "role": "spatial method", "spatial": True}
    entries = {"mofa": {"title": "MOFA", "role": "baseline"}, "own": words}
    entries["labels"] = {"title": "the labels", "role": "ceiling"}
    assert compared_words(Catalogue(entries)) == (
        "Named by the paper: MOFA. Published spatial methods: Theirs."
    )
    assert compared_words(Catalogue({})) == "No other method was computed."


def test_cohorts_are_counted():
    sections = pd.DataFrame(
        {
            "cohort": ["b", "b", "a"],
            "sample": ["1", "2", "3"],
            "patient": ["P", "P", "Q"],
            "organ": ["Heart", "Breast", None],
            "n_spots": [10, 20, 5],
        }
    )
    rows = cohort_rows(sections, {"a": "", "b": "both"})
    assert rows[0] == {
        **{"title": "both", "sections": 2, "patients": 1, "spots": 30, "organs": "Breast, Heart"}
    }
    assert rows[1]["title"] == "a" and rows[1]["organs"] == ""


TRANSFER = pd.DataFrame(
    {
        "cohort": ["a", "b"],
        "model": "m",
        "technology": ["ST", "Visium"],
        "trained_on": "ST",
        "transfer": ["no", "yes"],
        "n_patients": [8, 2],
        "recovered_shared": [0.4, 0.256],
        "best_other": "visible_depth",
        "best_other_recovered_shared": [0.5, 0.301],
    }
)


def test_recovery_is_shown_beside_that_on_another_technology():
    rows = transfer_rows(TRANSFER, {"a": "one", "b": "two"}, {"m": "a model"})
    assert [row["cohort"] for row in rows] == ["one", "two"]
    assert rows[1] == {
        **{"cohort": "two", "model": "a model", "technology": "Visium", "trained_on": "ST"},
        **{"patients": 2, "share": "26%", "other": "30% (depth of the visible genes)"},
    }
    assert transfer_rows(TRANSFER.head(1), {"a": "one"}, {"m": "a model"}) == []
    assert transfer_rows(None, {}, {}) == []


def test_costs_are_summed_over_the_jobs_of_a_rule(tmp_path):
    head = "s\th:m:s\tmax_rss\tcpu_time\n"
    (tmp_path / "train/deep").mkdir(parents=True)
    (tmp_path / "train/deep/a.tsv").write_text(f"{head}60\t0:01:00\t100.5\t90\n")
    (tmp_path / "train/b.tsv").write_text(f"{head}120\t0:02:00\t300\t150\n")
    (tmp_path / "draw.tsv").write_text(f"{head}6\t0:00:06\t-\t3\n")
    table = cost_table(tmp_path)
    assert table["rule"].tolist() == ["train", "draw"]
    assert table["jobs"].tolist() == [2, 1]
    assert table["minutes"].tolist() == [3.0, 0.1]
    assert table["cpu_minutes"].tolist() == [4.0, 0.05]
    assert table["peak_mb"].iloc[0] == 300 and math.isnan(table["peak_mb"].iloc[1])
    assert cost_words(table).startswith("3 jobs took 3 minutes in total")
    assert "train, used 300 MB" in cost_words(table)
    assert cost_words(cost_table(tmp_path / "none")) == "No job of this run was measured."


def test_files_are_listed_that_are_there(repo, tmp_path):
    (tmp_path / "models").mkdir()
    kinds = read_table(repo / "workflow/report/report/files.tsv", dtype=str)
    assert [row["path"] for row in file_rows(tmp_path, kinds)] == ["index.html", "models/"]


def test_a_caption_becomes_html_and_a_wrong_one_is_refused():
    assert rst_to_html("**A** of {{ n }}", n=3) == "<p><strong>A</strong> of 3</p>\n"
    with pytest.raises(Exception, match="Inline strong"):
        rst_to_html("**A")


@pytest.fixture
def pages(repo, tmp_path):
    (tmp_path / "figure_2_recovery.png").write_bytes(b"PNG")
    figure = Figure(tmp_path / "figure_2_recovery.png", "<p><strong>Figure 2.</strong></p>\n")
    texts = (
        (repo / f"workflow/report/report/results_{name}.html").read_text()
        for name in ("summary", "page")
    )
    return render_results(
        *texts,
        claim_rows(board(repo, *["undecided"] * 5), "paper"),
        [figure],
        [{"path": "models/", "what": "the models"}],
        run="tiny",
        drawing=(repo / "resources/figures/steps.svg").read_text(),
        viewers={"sections/a.html": "a cohort"},
        training="Short.",
        model="paper",
        is_trained_short=True,
        data="a cohort (8 patients).",
        compared="MOFA.",
        cohorts=[],
        transfer=[],
        methods="<p>Methods.</p>",
        citation=["A paper."],
        provenance={"code": "1.2", "config_sha256": "f" * 64},
        cost="Cheap.",
        costs=[{"rule": "train", "jobs": 1, "minutes": 2.0, "peak_mb": math.nan}],
    )


def test_the_page_needs_no_other_file_and_runs_no_text(pages):
    page, _ = pages
    assert re.findall(r'<(?:script|link)|src="(?!data:)', page) == []
    assert "<other>" not in page and "On &lt;other&gt; data" in page
    assert 'src="data:image/png;base64,UE5H"' in page
    assert page.count('<tr class="claim">') == 5


def test_the_six_steps_are_drawn_in_the_page_alone(pages):
    assert pages[0].count("<svg ") == 1 and "<svg" not in pages[1]
    steps = ("1 Sections", "2 Graphs", "3 Training", "4 Embeddings", "5 Claims", "6 Verdict")
    assert all(f">{step}</text>" in pages[0] for step in steps)


def test_a_reason_opens_below_its_row_over_the_whole_width(pages):
    assert re.findall(r'</tr>\n<tr class="why"><td colspan="5"><details>', pages[0])
    assert pages[0].count('href="#figure_2_recovery"') == 1  # the figures that there are
    assert pages[0].count('href="a/table.tsv"') == 5


def test_what_a_claim_was_computed_on_is_seen_without_a_click(pages):
    closed = re.sub(r"<details>.*?</details>", "", pages[0], flags=re.DOTALL)
    assert closed.count("<small>n</small>") == 5
    assert "a cohort (8 patients). These are not the paper" in closed


def test_a_claim_begins_with_its_number(pages):
    rows = re.findall(r'<tr class="claim">\n<td><span class="which">(.*?)</span> (.*?)<', pages[0])
    assert [number for number, _ in rows] == [f"Claim {number}" for number in range(2, 7)]
    assert all(words.startswith(("It", "A gene")) for _, words in rows)


def test_what_to_do_next_follows_from_the_run(pages):
    steps = re.findall(r"<li>(.*?)</li>", pages[1].partition("What to do next")[2])[:3]
    assert "make preflight CONFIG=config/paper.yaml" in steps[0]
    assert "models.paper.training.epochs" in steps[1]
    assert "docs/your-data.md" in steps[2]


@pytest.mark.skipif(browser.chromium() is None, reason="Chromium is not installed")
def test_a_figure_is_readable_on_a_phone_and_the_page_is_no_wider(pages, tmp_path):
    (tmp_path / "index.html").write_text(pages[0])
    with browser.opened(tmp_path / "profile") as page:
        page.resize(390, is_phone=True)
        page.open(tmp_path / "index.html")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate("document.querySelector('figure img').clientWidth") > 800
        assert page.evaluate("document.querySelector('.frame').clientWidth") < 390
        assert page.evaluate("getComputedStyle(document.querySelector('.hint')).display") == "block"
        page.resize(1300)
        assert page.evaluate("getComputedStyle(document.querySelector('.hint')).display") == "none"


def test_the_part_for_the_report_leads_nowhere(pages):
    assert (
        "Not shown in this run." in pages[1] and "href" not in pages[1] and "src=" not in pages[1]
    )
