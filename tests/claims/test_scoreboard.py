"""The scoreboard, and the verdict of every chapter in every branch."""

import pandas as pd
import pytest

from sagefm.claims.reported import reported_values
from sagefm.claims.scoreboard import COLUMNS, scoreboard, scoreboard_html
from sagefm.common.claim import OUTCOMES, VERDICTS, Claim, claims_table, judge
from sagefm.common.errors import InputError
from sagefm.common.io import read_table, write_table
from sagefm.recovery.claims import recovery_claims
from sagefm.representations.catalogue import Catalogue
from sagefm.representations.claims import coherence_claims
from sagefm.representations.registry import described
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


def claim(id: str, **changes) -> Claim:
    facts = dict.fromkeys(("obtained", "baseline", "n", "reason", "evidence"), "x")
    return Claim(id, **{**facts, "verdict": "proxy", **changes})


# The scoreboard


def test_columns_and_order_are_the_papers(reported):
    chapters = [claims_table([claim("lightweight")]), claims_table([claim("recovery")])]
    board = scoreboard(reported, chapters)
    assert tuple(board.columns) == COLUMNS
    documented = ["claim", "reported", "obtained", "baseline", "n", "verdict", "evidence"]
    assert list(COLUMNS[:7]) == documented
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
    assert (rest["reason"] == "no chapter of this run computes it").all()
    assert (rest[["obtained", "baseline", "n", "evidence"]] == "-").all(axis=None)
    assert board[spoken]["verdict"].item() == "proxy"


def test_a_scoreboard_is_written_and_read_unchanged(reported, tmp_path):
    board = scoreboard(reported, [claims_table([claim("recovery", obtained="12.5% of genes")])])
    write_table(board, tmp_path / "board.tsv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "board.tsv", dtype=str), board)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([["recovery", "recvery"]], "claim `recvery` is not in resources/reported.tsv; add"),
        ([["recovery"], ["recovery"]], "claim `recovery` is given by two chapters; leave it"),
        ([["coherent", "coherent"]], "claim `coherent` is given by two chapters"),
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
    page = scoreboard_html(board, "demo", PROVENANCE)
    for name in reported["claim"]:
        assert name.replace("<", "&lt;") in page
    assert "<b>" not in page and "&lt;b&gt;p &lt; 0.05" in page
    assert page.count("<tr") == len(board) + 1
    for fact in ("demo", "workflow 1.2;", "1.2 (abc)", "f" * 16, "3.11.1"):
        assert fact in page


def test_the_page_begins_with_what_held_and_what_did_not(reported):
    outcomes = {"recovery": "did not hold", "coherent": "held", "annotation": "undecided"}
    chapters = [claims_table([claim(id, outcome=own, obtained=id) for id, own in outcomes.items()])]
    page = scoreboard_html(scoreboard(reported, chapters), "demo", PROVENANCE)
    short = page[page.index('<div class="short">') : page.index("</div>")]
    held, failed, rest = short.split("</section>")[:3]
    assert held.count("<li>") == 1 and "coherent" in held
    assert failed.count("<li>") == 1 and ": recovery" in failed
    assert rest.count("<li>") == reported["id"].nunique() - 2 and ": annotation" in rest
    assert "3 of 10 rows are proxies" in page
    assert "proxies</strong>" not in scoreboard_html(
        scoreboard(reported, [claims_table([claim("recovery", verdict="supported")])]),
        "demo", PROVENANCE,
    )  # fmt: skip


@pytest.mark.parametrize("verdict", OUTCOMES)
def test_a_proxy_says_what_the_rule_says_of_its_data(verdict):
    own = judge((verdict, "so it is"), True, "other data")
    assert own == {"verdict": verdict, "outcome": OUTCOMES[verdict], "reason": "so it is"}
    proxy = judge((verdict, "so it is"), False, "other data")
    assert proxy["verdict"] == "proxy" and proxy["outcome"] == own["outcome"]
    assert proxy["reason"] == "other data; here so it is"


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
        assert f"{in_words:g}" in row.reported.split()


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
        (400, 15, True, "contradicted", "400 samples instead of 416"),
        (416, 3, True, "inconclusive", "3 organ names (organ0, organ1, organ2), the paper counts"),
    ],
)
def test_pretraining_set(samples, organs, paper_data, verdict, words):
    found = pretrained(samples, organs, paper_data)[0]
    assert (found.id, found.verdict) == ("pretraining_set", verdict)
    assert words in found.reason
    assert (
        f"split by {samples // 2} groups" in found.reason and "3 samples name none" in found.reason
    )
    assert found.obtained == f"{samples} samples, {organs} organs"
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


# Claim 2


def summary(model: float, neighbour_mean: float) -> pd.DataFrame:
    """A recovery's summary with the shares recovered; a stratum beside that is not to be read."""
    rows = [
        {
            "stratum_kind": kind,
            "stratum": kind,
            "predictor": predictor,
            "n_samples": 3,
            "n_patients": 2,
            "n_spots": 1200,
            "n_genes": 14_558,
            "n_genes_tested": 12_000,
            "n_genes_constant": 7,
            "recovered_p05": share if kind == "all" else 1.0,
            "recovered_bh": share / 2,
            "recovered_within_p05": share / 4,
            "median_pearson": 0.123,
            "mse": mse,
        }
        for kind in ("all", "organ")
        for predictor, share, mse in (
            ("model", model, 0.08),
            ("neighbour_mean", neighbour_mean, 0.09),
            ("zero", 0.0, 0.3),
        )
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("model", "baseline", "paper_data", "verdict", "words"),
    [
        (0.99, 0.5, False, "proxy", "computed on a heart, not on the paper's samples"),
        (0.80, 0.5, True, "contradicted", "fewer genes than reported"),
        (0.904, 0.5, True, "contradicted", "fewer genes than reported"),
        (0.906, 0.5, True, "supported", "as many genes as reported"),  # 91 % when rounded
        (0.95, 0.95, True, "inconclusive", "neighbour mean, untrained, reaches as much"),
        (0.95, 0.99, True, "inconclusive", "neighbour mean, untrained, reaches as much"),
        (0.95, 0.90, True, "supported", "more than any baseline"),
    ],
)
def test_recovery(model, baseline, paper_data, verdict, words):
    table = summary(model, baseline)
    found = recovery_claims(
        "paper", "atlas", "a heart", table, paper_data, "0 of 2 patients seen", 0.91
    )
    assert len(found) == 1
    assert (found[0].id, found[0].verdict) == ("recovery", verdict)
    assert words in found[0].reason
    assert "7 genes are predicted constant" in found[0].reason
    assert f"{model / 2:.1%} after Benjamini-Hochberg" in found[0].reason
    assert "MSE 0.0800, neighbour mean 0.0900" in found[0].reason
    assert found[0].obtained == f"{model:.1%} of tested genes"
    assert found[0].baseline == f"{baseline:.1%} (neighbour mean)"
    assert found[0].n == "12,000 of 14,558 genes, 1,200 spots, 3 samples, 0 of 2 patients seen"
    assert found[0].evidence == "recovery/paper/atlas/summary.tsv"


def test_recovery_by_a_model_that_predicts_constants_says_so():
    table = summary(0.0, 0.5).assign(median_pearson=float("nan"))
    (found,) = recovery_claims(
        "paper", "atlas", "a heart", table, True, "0 of 2 patients seen", 0.91
    )
    assert "median r of the others too few to tell" in found.reason


# `spatially coherent`


SEEN = "1 of 2 patients seen"
UNTRAINED = Catalogue(described({"pca": {}, "neighbour_mean": {}}))


def coherence(own: list[float], pca: list[float], near: list[float]) -> pd.DataFrame:
    names = {"sagefm-paper": own, "pca": pca, "neighbour_mean": near, "sagefm-other": [9.0, 9.0]}
    return pd.DataFrame(
        [
            {"sample": f"s{i}", "representation": name, "components": 20, "mean_moran_i": value}
            for name, values in names.items()
            for i, value in enumerate(values)
        ]
    )


@pytest.mark.parametrize(
    ("own", "pca", "near", "paper_data", "verdict", "words"),
    [
        ([0.9, 0.8], [0.1, 0.2], [0.5, 0.5], False, "proxy", "computed on `breast`"),
        ([0.1, 0.2], [0.3, 0.1], [0.5, 0.5], True, "contradicted", "less coherent than PCA"),
        ([0.4, 0.6], [0.1, 0.2], [0.5, 0.5], True, "inconclusive", "averaging neighbours"),
        ([0.9, 0.8], [0.1, 0.2], [0.5, 0.5], True, "supported", "than both references"),
    ],
)
def test_coherence(own, pca, near, paper_data, verdict, words):
    table = coherence(own, pca, near)
    found = coherence_claims("paper", "breast", table, paper_data, SEEN, UNTRAINED)
    assert len(found) == 1
    assert (found[0].id, found[0].verdict) == ("coherent", verdict)
    assert words in found[0].reason
    above = sum(a > b for a, b in zip(own, pca, strict=True))
    assert f"above PCA in {above} of 2 samples" in found[0].reason
    assert found[0].obtained == f"mean Moran's I {sum(own) / 2:.3f}"
    assert found[0].baseline == f"PCA {sum(pca) / 2:.3f}, neighbour mean 0.500"
    assert found[0].n == "2 samples, 20 components each, 1 of 2 patients seen"


def test_coherence_counts_the_components_of_what_it_compares():
    table = coherence([0.9, 0.8], [0.1, 0.2], [0.5, 0.5])
    table.loc[table["representation"] == "sagefm-other", "components"] = 8
    (found,) = coherence_claims("paper", "breast", table, True, SEEN, UNTRAINED)
    assert "20 components each" in found.n
    table.loc[table["representation"] == "pca", "components"] = 12
    (found,) = coherence_claims("paper", "breast", table, True, SEEN, UNTRAINED)
    assert "12 or 20 components each" in found.n


@pytest.mark.parametrize(
    ("left_out", "lacking", "baseline"),
    [
        (["pca"], "PCA", "neighbour mean 0.500"),
        (["neighbour_mean"], "neighbour mean", "PCA 0.150"),
        (["pca", "neighbour_mean"], "PCA and neighbour mean", "-"),
    ],
)
def test_coherence_without_a_reference_is_undecided(left_out, lacking, baseline):
    table = coherence([0.9, 0.8], [0.1, 0.2], [0.5, 0.5])
    table = table[~table["representation"].isin(left_out)]
    (found,) = coherence_claims("paper", "breast", table, True, SEEN, UNTRAINED)
    assert (found.verdict, found.outcome) == ("inconclusive", "undecided")
    assert found.reason.startswith(f"not held against {lacking}, which this run lacks")
    assert found.obtained == "mean Moran's I 0.850"
    assert found.baseline == baseline
