"""The scoreboard and its rows, and the claims on pretraining (verdicts are in `test_verdicts`)."""

import pandas as pd
import pytest

from sagefm.claims.reported import reported_values
from sagefm.claims.scoreboard import COLUMNS, scoreboard, scoreboard_html
from sagefm.common.claim import VERDICTS, Claim, claims_table
from sagefm.common.errors import InputError
from sagefm.common.io import read_table, write_table
from sagefm.training.claims import pretraining_claims

TRAINING = {
    "parameters": 31_405_790,
    "epochs": 10,
    "train_spots": 5000,
    "seconds": 100.0,
    "core_hours": 0.5,
    "gpu_hours": None,
}


PROVENANCE = {
    "version": "1.2",
    "code": "1.2 (abc)",
    "config_sha256": "f" * 64,
    "python": "3.11.1",
}


@pytest.fixture
def reported(repo) -> pd.DataFrame:
    return read_table(repo / "resources/reported.tsv", dtype=str)


MODELS = {"paper": ("the paper's recipe", "validation loss was still falling after 5 epochs")}


def claim(id: str, model: str = "paper", **changes) -> Claim:
    facts = dict.fromkeys(("obtained", "baseline", "n", "reason", "evidence"), "x")
    return Claim(id, model, **{**facts, "verdict": "proxy", **changes})


# The scoreboard


def test_columns_and_order_are_the_papers(reported):
    chapters = [claims_table([claim("lightweight")]), claims_table([claim("recovery")])]
    board = scoreboard(reported, chapters)
    assert tuple(board.columns) == COLUMNS
    documented = ["claim", "model", "reported", "obtained", "baseline", "n", "verdict", "evidence"]
    assert list(COLUMNS[:8]) == documented
    assert list(board["claim"]) == list(reported["claim"].unique())
    texts = reported.groupby("claim", sort=False)["reported"].unique()
    assert [list(text) for text in texts] == [[text] for text in board["reported"]]
    assert [name[0] for name in board["claim"][:6]] == list("123456")


def test_what_no_chapter_computed_says_so(reported):
    board = scoreboard(reported, [claims_table([claim("recovery")])]).set_index("claim")
    spoken = board.index.str.startswith("2 ")
    rest = board[~spoken]
    assert len(rest) == reported["id"].nunique() - 1
    assert (rest["verdict"] == "not computed").all()
    assert (rest["reason"] == "not part of this run").all()
    assert (rest[["model", "obtained", "baseline", "n", "evidence"]] == "-").all(axis=None)
    assert board[spoken]["verdict"].item() == "proxy"


def test_a_scoreboard_is_written_and_read_unchanged(reported, tmp_path):
    board = scoreboard(reported, [claims_table([claim("recovery", obtained="12.5% of genes")])])
    write_table(board, tmp_path / "board.tsv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "board.tsv", dtype=str), board)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([["recovery", "recvery"]], "claim `recvery` is not in resources/reported.tsv. Fix: add"),
        (
            [["recovery"], ["recovery"]],
            "`recovery` on model `paper` is reported by two",
        ),
        ([["coherent", "coherent"]], "`coherent` on model `paper` is reported by two"),
    ],
)
def test_unknown_and_repeated_claims_are_told(reported, ids, words):
    chapters = [claims_table([claim(name) for name in chapter]) for chapter in ids]
    with pytest.raises(InputError, match=words):
        scoreboard(reported, chapters)


def test_a_verdict_is_one_of_five():
    assert set(VERDICTS) == {"supported", "contradicted", "inconclusive", "proxy", "not computed"}
    with pytest.raises(ValueError, match="verdict `probably` is none of"):
        claim("recovery", verdict="probably")


def test_the_page_shows_every_row_and_runs_no_text(reported):
    chapters = [claims_table([claim("recovery", reason="<b>p < 0.05</b>")])]
    board = scoreboard(reported, chapters)
    page = scoreboard_html(board, "demo", MODELS, PROVENANCE)
    for name in reported["claim"]:
        assert name.replace("<", "&lt;") in page
    assert "<b>" not in page and "&lt;b&gt;p &lt; 0.05" in page
    assert page.count("<tr") == len(board) + 1
    for fact in ("demo", "workflow 1.2;", "1.2 (abc)", "f" * 16, "3.11.1"):
        assert fact in page


def test_the_page_begins_with_what_held_and_what_did_not(reported):
    outcomes = {"recovery": "did not hold", "coherent": "held", "annotation": "undecided"}
    chapters = [claims_table([claim(id, outcome=own, obtained=id) for id, own in outcomes.items()])]
    page = scoreboard_html(scoreboard(reported, chapters), "demo", MODELS, PROVENANCE)
    short = page[page.index('<div class="short">') : page.index("</div>")]
    held, failed, rest = short.split("</section>")[:3]
    assert held.count("<li>") == 1 and "coherent" in held
    assert failed.count("<li>") == 1 and ": recovery" in failed
    assert rest.count("<li>") == reported["id"].nunique() - 2 and ": annotation" in rest
    assert "3 of 10 rows are proxies" in page
    assert "proxies</strong>" not in scoreboard_html(
        scoreboard(reported, [claims_table([claim("recovery", verdict="supported")])]),
        "demo", MODELS, PROVENANCE,
    )  # fmt: skip


def test_each_model_that_is_judged_has_a_row_and_a_column(reported):
    chapters = [
        claims_table(
            [
                claim("recovery", "released", obtained="93%", verdict="supported", outcome="held"),
                claim("recovery", "paper", obtained="42%"),
                claim("lightweight", "paper", obtained="light"),
            ]
        )
    ]
    board = scoreboard(reported, chapters)
    assert len(board) == reported["id"].nunique() + 1
    rows = board[board["claim"].str.startswith("2 ")]
    assert list(rows["model"]) == ["released", "paper"]
    models = {"released": ("SAGE-FM (released)", "released checkpoint"), **MODELS}
    page = scoreboard_html(board, "demo", models, PROVENANCE)
    assert page.count("<tr") == reported["id"].nunique() + 1
    for title, words in models.values():
        assert f"<th>{title.replace(chr(39), '&#39;')}<span>{words}</span></th>" in page
    row = page[page.index("<td>2 Masked") :]
    row = row[: row.index("</tr>")]
    assert row.count("<td>") == 4 and row.index("93%") < row.index("42%")
    light = page[page.index("<td>Adjective: lightweight") :]
    assert "not computed for this model" in light[: light.index("light</p>")]
    short = page[page.index('<div class="short">') : page.index("</div>")]
    assert "SAGE-FM (released): 93%" in short and ", the paper&#39;s recipe: 42%" in short


# The paper's numbers


def test_the_papers_numbers_are_columns_of_its_table(repo):
    paper = read_table(repo / "resources/reported.tsv")
    assert reported_values(paper, "samples") == {"pretraining_set": 416}
    assert reported_values(paper, "organs") == {"pretraining_set": 15}
    assert reported_values(paper, "share of genes") == {"recovery": 0.91}
    assert reported_values(paper, "accuracy") == {"annotation": 0.81}
    assert paper["value"].isna().eq(paper["unit"].isna()).all()


def test_the_papers_numbers_are_those_of_its_words(repo):
    for row in read_table(repo / "resources/reported.tsv").dropna(subset="value").itertuples():
        in_words = row.value if row.value > 1 else 100 * row.value
        assert f"{in_words:g}" in row.reported.replace("%", " ").split()


# Claim 1 and `lightweight`


DUPLICATES = pd.DataFrame(
    {"sample": ["M1"], "duplicate_of": ["N1"], "evidence": ["identical files"], "organ": ["organ0"]}
)


def pretrained(
    samples: int, organs: int, paper_data: bool, training=TRAINING, duplicates=DUPLICATES[:0]
) -> list[Claim]:
    counted = pd.DataFrame(
        {"organ": [f"organ{i}" for i in range(organs)], "n_samples": 1, "n_without_patient": 0}
    )
    counted.loc[0, ["n_samples", "n_without_patient"]] = samples - organs + 1, 3
    parts = ["train"] * (samples - 2) + ["validation", "test"]
    split = pd.DataFrame({"part": parts, "group": [f"group{i // 2}" for i in range(samples)]})
    split = split.assign(patient_seen=pd.NA, dataset_seen=False)
    return pretraining_claims("paper", counted, duplicates, split, training, paper_data, (416, 15))


@pytest.mark.parametrize(
    ("samples", "organs", "paper_data", "verdict", "words"),
    [
        (416, 15, False, "proxy", "this run's sections"),
        (416, 15, True, "supported", "both counts agree"),
        (400, 15, True, "contradicted", "400 sections instead of 416"),
        (416, 3, True, "inconclusive", "3 organ names (organ0, organ1, organ2), the paper counts"),
    ],
)
def test_pretraining_set(samples, organs, paper_data, verdict, words):
    found = pretrained(samples, organs, paper_data)[0]
    assert (found.id, found.model, found.verdict) == ("pretraining_set", "paper", verdict)
    assert words in found.reason
    assert (
        f"split by {samples // 2} groups" in found.reason and "3 sections name none" in found.reason
    )
    assert found.obtained == f"{samples} sections, {organs} organs"
    assert found.n == f"{samples - 2} train, 1 validation, 1 test"
    assert found.evidence == "pretraining/organs.tsv"


def test_sections_deposited_twice_are_named():
    found = pretrained(416, 16, True, duplicates=DUPLICATES)[0]
    assert found.reason.endswith("1 were deposited twice (M1 is N1), 415 differ")
    assert "twice" not in pretrained(416, 16, True)[0].reason


def test_lightweight_names_its_cost():
    found = pretrained(17, 2, False)[1]
    assert (found.id, found.verdict) == ("lightweight", "inconclusive")
    assert found.obtained == "31,405,790 parameters; 0.5 core-hours of training, 2 ms a spot"
    assert found.n == "10 epochs of 5,000 spots"
    on_gpu = TRAINING | {"core_hours": None, "gpu_hours": 0.02}
    assert "0.02 GPU-hours" in pretrained(17, 2, False, on_gpu)[1].obtained


def test_a_released_checkpoint_cost_nothing_here():
    found = pretrained(17, 2, False, {})[1]
    assert "not trained here" in found.obtained
    assert (found.n, found.evidence) == ("-", "-")
