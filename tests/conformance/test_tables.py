"""Embeddings with planted wrong rows: the tables of rows and sections, and the claim."""

import h5py
import numpy as np
import pandas as pd
import pytest

from sagefm.common.errors import InputError
from sagefm.common.io import read_table, write_table
from sagefm.conformance.claims import conformance_claims
from sagefm.conformance.figures import draw_conformance
from sagefm.conformance.inputs import embeddings_of, released_rows, tied_spots
from sagefm.conformance.tables import conformance_rows, conformance_summary, sections_held
from sagefm.graphs.nearest import has_tied_border
from sagefm.representations.files import write_representation
from sagefm.sections.cohort import cohort_of_files
from sagefm.sections.section import spot_positions
from support import small
from support.drawn import assert_readable

SIZES = {"a": 30, "b": 25, "c": 40, "b2": 25}
SAMPLES = np.repeat([*SIZES], [*SIZES.values()])
TOLERANCE = 1e-4


def embeddings() -> np.ndarray:
    """Of four sections; b2 is b deposited twice."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(len(SAMPLES), 12)).astype(np.float32)
    values[SAMPLES == "b2"] = values[SAMPLES == "b"]
    return values


TIED = np.arange(len(SAMPLES)) % 3 == 0


@pytest.fixture
def rows() -> pd.DataFrame:
    """The file has section c, then b2 but for its last five spots; rows 7, 9 and 50 are wrong."""
    own = embeddings()
    file = np.concatenate([own[55:95], own[95:115], np.full((1, 12), 9, dtype=np.float32)])
    file[:60] += np.random.default_rng(1).normal(scale=1e-7, size=(60, 12)).astype(np.float32)
    file[[7, 50]] += 1
    file[8] = own[63] + np.float32(0.01)
    return conformance_rows(file, own, SAMPLES, TIED, TOLERANCE)


def held(rows: pd.DataFrame) -> pd.DataFrame:
    facts = {"sample": [*SIZES], "spots": [*SIZES.values()], "organ": "Breast", "part": "test"}
    return sections_held(rows, pd.DataFrame(facts))


def test_rows_say_which_spot_they_are_and_how_far_off(rows):
    assert len(rows) == 61
    wrong = rows[rows["outcome"] != "matched"].set_index("row")
    # Spots 62 and 63 of the cohort, rows 7 and 8 of section c; 105 is row 10 of the twin.
    assert wrong["outcome"].to_dict() == {7: "different", 8: "tied", 50: "tied", 60: "not found"}
    assert wrong.loc[[7, 8, 50], "sample"].tolist() == ["c", "c", rows["sample"][49]]
    assert wrong.loc[[7, 8, 50], "spot"].tolist() == [7, 8, 10]
    assert wrong.loc[8, "difference"] < wrong.loc[7, "difference"]
    assert pd.isna(wrong.loc[60, ["sample", "spot", "difference"]]).all()
    right = rows[rows["outcome"] == "matched"]
    assert (right["difference"] < 1e-5).all() and (right["difference"] > 0).any()
    assert list(rows["spot"][:40]) == list(range(40))
    assert list(rows["spot"][40:60]) == list(range(20))
    assert (rows.loc[rows["outcome"] == "matched", "equal_spots"][40:] == 2).all()
    assert rows["sample"][40:60].nunique() == 1  # one of the twins, not by turns


def test_sections_say_what_of_them_the_file_holds(rows):
    found = held(rows).set_index("sample")
    assert found.index[0] == "c" and found.index[1] in ("b", "b2") and len(found) == 2
    whole, part = found.iloc[0], found.iloc[1]
    assert (whole["first_row"], whole["rows"], whole["spots"]) == (0, 40, 40)
    assert (whole["matched"], whole["tied"], whole["different"]) == (38, 1, 1)
    assert (part["first_row"], part["rows"], part["spots"]) == (40, 20, 25)
    assert (whole["share_held"], part["share_held"]) == (1, 0.8)
    assert (whole["rows_with_twin"], part["rows_with_twin"]) == (0, 19)
    own = rows[(rows["sample"] == "c") & (rows["outcome"] == "matched")]["difference"]
    assert whole["largest_difference"] == own.max()
    assert whole["median_difference"] == own.median()


def test_the_summary_counts_all_rows(rows):
    found = conformance_summary(rows, held(rows), TOLERANCE).iloc[0]
    counts = [found[name] for name in ("rows", "matched", "tied", "different", "not_found")]
    assert counts == [61, 57, 2, 1, 1]
    assert found["share_matched"] == 57 / 61
    assert found["largest_difference"] < TOLERANCE
    assert found["tied_spots"] - found["tied_matched"] == 2 and found["tied_matched"] > 5
    assert (found["sections"], found["whole_sections"]) == (2, 1)


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ({"matched": 1000}, "supported"),
        ({"matched": 700, "tied": 295, "different": 5}, "supported"),
        ({"matched": 900, "different": 100}, "inconclusive"),
        ({"matched": 980, "not_found": 20}, "inconclusive"),
        ({"matched": 400, "different": 600}, "contradicted"),
        ({"matched": 0, "not_found": 1000}, "contradicted"),
    ],
)
def test_the_verdict_follows_from_how_much_is_explained(counts, verdict):
    facts = {"matched": 0, "tied": 0, "different": 0, "not_found": 0} | counts
    facts |= {"rows": 1000, "share_matched": facts["matched"] / 1000, "largest_difference": 3e-7}
    facts |= {"tied_spots": 300, "tied_matched": 5, "sections": 2, "whole_sections": 1}
    sections = pd.DataFrame({"sample": ["a", "b"], "part": ["test", "train"]})
    summary = pd.DataFrame([facts])
    (claim,) = conformance_claims("released", "hest", summary, sections, True)
    assert claim.verdict == verdict
    assert claim.n == "1,000 rows of 2 sections, 1 of them whole"
    assert "1 test, 1 train" in claim.reason
    (proxy,) = conformance_claims("released", "mine", summary, sections, False)
    assert proxy.verdict == "proxy" and "computed on `mine`, not on the paper's" in proxy.reason


def test_the_figure_has_a_bar_a_section_and_says_the_share(rows, tmp_path):
    for name, table in {"rows": rows, "held": held(rows)}.items():
        write_table(table, tmp_path / f"{name}.tsv")
    again = read_table(tmp_path / "rows.tsv"), read_table(tmp_path / "held.tsv")
    summary = conformance_summary(rows, held(rows), TOLERANCE)
    figure = draw_conformance(summary, again[1], again[0])
    bars, histogram = figure.axes
    assert [label.get_text() for label in bars.get_yticklabels()] == list(again[1]["sample"])
    widths = sum(patch.get_width() for patch in bars.patches)
    assert widths == 60  # rows that have a spot
    assert sum(patch.get_height() for patch in histogram.patches) == 60
    assert_readable(figure)
    assert figure.get_suptitle().startswith("93.44% of 61 released embeddings are")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((3, 5), dtype=np.float32), r"float32 of shape \(3, 5\).* of 4 features"),
        (np.zeros((3, 4)), "holds float64"),
        (np.zeros((0, 4), dtype=np.float32), r"shape \(0, 4\)"),
        (np.array([{}]), "not a plain array of numpy"),
    ],
)
def test_another_file_is_refused_and_no_pickle_is_read(tmp_path, values, words):
    path = tmp_path / "released.npy"
    np.save(path, values)
    with pytest.raises(InputError, match=words) as caught:
        released_rows(path, 4)
    assert str(caught.value).startswith(str(path))


def test_a_cut_off_file_is_refused(tmp_path):
    path = tmp_path / "released.npy"
    np.save(path, np.zeros((100, 4), dtype=np.float32))
    assert isinstance(released_rows(path, 4), np.memmap)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="not a plain array"):
        released_rows(path, 4)


def test_embeddings_and_ties_are_read_from_the_runs_files(tmp_path):
    sections = small.write_sections(tmp_path)
    paths = [section.counts_path for section in sections]
    cohort = cohort_of_files(paths, [section.graph_path for section in sections], [])
    values = np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32)
    write_representation(tmp_path / "x.h5ad", "sagefm-released", cohort, values, {"spatial": True})
    with embeddings_of(tmp_path / "x.h5ad") as found:
        assert isinstance(found.rows, h5py.Dataset)
        np.testing.assert_array_equal(found.rows[:], values)
        assert list(found.samples) == list(np.repeat(small.SAMPLES[:3], 40))
    ties = tied_spots(paths, {"kind": "knn_clique", "size": 7})
    expected = [has_tied_border(spot_positions(path)[0], 7) for path in paths]
    np.testing.assert_array_equal(ties, np.concatenate(expected))
    assert not tied_spots(paths, {"kind": "grid"}).any()
