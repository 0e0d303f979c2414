"""Labels of a table joined to the spots of a section, and of a cohort's sections."""

import pandas as pd
import pytest

from sagefm.cohorts.ingest import ingest
from sagefm.common import h5ad, io
from sagefm.common.errors import InputError
from sagefm.sections.labels import cohort_labels, join_labels
from support import helpers

OBS = pd.DataFrame(
    {"array_row": [1, 2, 3], "array_col": [7, 8, 9]}, index=["AAA-1", "CCC-1", "GGG-1"]
)


@pytest.mark.parametrize(
    ("obs", "spots", "expected"),
    [
        (OBS, ["AAA-1", "GGG-1"], ["x", None, "y"]),
        (OBS, ["AAA", "GGG"], ["x", None, "y"]),
        (OBS.set_axis(["AAA", "CCC", "GGG"]), ["AAA-1", "GGG-1"], ["x", None, "y"]),
        (OBS, ["1x7", "3x9"], ["x", None, "y"]),
        (OBS, ["CCC-1", "TTT-1"], [None, "x", None]),
        (OBS, [" AAA-1", "GGG-1 "], ["x", None, "y"]),
        # Names of the form column x row are names: 7x1 is not row 7.
        (OBS.set_axis(["7x1", "8x2", "9x3"]), ["8x2", "9x3"], [None, "x", "y"]),
        (OBS.drop(columns="array_row"), ["AAA", "CCC"], ["x", "y", None]),
    ],
    ids=[
        "barcode",
        "label bare",
        "section bare",
        "array",
        "partly",
        "white space",
        "names first",
        "no array",
    ],
)
def test_spots_of_a_label_table(obs, spots, expected):
    table = pd.DataFrame({"sample": "s", "spot": spots, "label": ["x", "y"]})
    table.loc[len(table)] = ["other", "AAA-1", "z"]
    labels = join_labels(obs, table, "s")
    assert list(labels.index) == list(obs.index) and labels.dtype == "category"
    assert [None if pd.isna(label) else label for label in labels] == expected


@pytest.mark.parametrize("sample", ["SPA121", "SPA154"])
def test_array_positions_are_not_read_the_other_way_round(sample):
    """Most places of a section are there exchanged, too; spots are named column x row, or not."""
    obs = helpers.demo_section(sample).obs[["array_row", "array_col"]]
    row, column = (obs[name].astype(str) for name in obs)
    label = [*row]
    by_row = pd.DataFrame({"sample": "s", "spot": [*(row + "x" + column)], "label": label})
    by_column = by_row.assign(spot=[*(column + "x" + row)])
    named = obs.set_axis(by_column["spot"])
    barcodes = obs.set_axis([f"spot{number}" for number in range(len(obs))])
    assert named.index.isin(by_row["spot"]).mean() > 0.5
    for spots, table in ((named, by_column), (named, by_row), (barcodes, by_row)):
        assert join_labels(spots, table, "s").tolist() == label
    with pytest.raises(InputError, match=r"as array column x row, and .* Fix: write them as row x"):
        join_labels(barcodes, by_column, "s")


def test_samples_named_by_numbers():
    table = pd.DataFrame({"sample": [1], "spot": ["AAA"], "label": ["x"]})
    assert join_labels(OBS, table, "1").count() == 1


@pytest.fixture(scope="module")
def samples(panel, tmp_path_factory):
    """A sample that quality control took spots of, and one that is whole."""
    folder, paths = tmp_path_factory.mktemp("samples"), []
    for name, least in (("heart-1", 2000), ("heart-2", 1)):
        source = helpers.REPO / f"resources/demo/st/{name}.h5ad"
        qc = helpers.QC | {"min_counts": least}
        sample = ingest(source, {"sample": name}, panel, qc, helpers.HARMONISE)
        paths.append(folder / f"{name}.h5ad")
        h5ad.write_h5ad(sample, paths[-1])
    return paths


def test_labels_of_a_cohort_count_removed_spots(samples):
    table = io.read_table(helpers.REPO / "resources/demo/labels.tsv", dtype=str)
    listed = table[table["sample"] == "heart-1"].set_index("spot")["label"]
    labels, matched = cohort_labels(samples, listed.reset_index().assign(sample="heart-1"), "atlas")
    kept = h5ad.read_h5ad(samples[0]).obs_names
    assert len(kept) < len(listed)
    assert labels.set_index("spot")["label"].to_dict() == listed[listed.index.isin(kept)].to_dict()
    assert set(labels["sample"]) == {"heart-1"}
    # A sample that the table does not name has no labels, and no share of them.
    assert matched["labels_matched"].iloc[0] == 1.0 and pd.isna(matched["labels_matched"].iloc[1])


def test_a_removed_spot_that_alone_is_named_is_a_match(samples):
    removed = h5ad.read_h5ad(samples[0]).uns["removed_spots"].index[:1]
    table = pd.DataFrame({"sample": "heart-1", "spot": removed, "label": "x"})
    labels, matched = cohort_labels(samples[:1], table, "atlas")
    assert labels.empty and matched["labels_matched"].tolist() == [1.0]


def labels_of(*spots):
    return pd.DataFrame({"sample": "heart-1", "spot": spots, "label": "x"})


REFUSED = {
    "no spot": (
        labels_of("ZZZ"),
        ["0 of 1 labels of sample heart-1 name", "`ZZZ`"],
    ),
    "twice": (labels_of("15x16", "15x16"), ["`15x16`", "more than once"]),
    "no column": (labels_of("a").drop(columns="spot"), ["no column spot"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_cohort_and_sample(case, samples):
    table, words = REFUSED[case]
    with pytest.raises(InputError) as caught:
        cohort_labels(samples, table, "atlas")
    sentence = str(caught.value)
    assert sentence.startswith("cohort atlas, sample heart-1: ") and sentence.endswith(".")
    assert [word for word in words if word not in sentence] == []


def test_labels_of_another_section_are_refused_and_of_most_spots_taken(samples):
    spots = h5ad.read_h5ad(samples[1]).obs_names
    for named, refused in ((40, True), (60, False)):
        names = [*spots[:named], *(f"other{i}" for i in range(100 - named))]
        table = pd.DataFrame({"sample": "heart-2", "spot": names, "label": "x"})
        if refused:
            with pytest.raises(InputError, match="40 of 100 labels of sample heart-2 name one"):
                cohort_labels(samples[1:], table, "atlas")
        else:
            _, matched = cohort_labels(samples[1:], table, "atlas")
            assert matched["labels_matched"].tolist() == [0.6]


def test_classes_that_differ_in_capitals_alone_are_refused(samples):
    spots = h5ad.read_h5ad(samples[1]).obs_names[:2]
    table = pd.DataFrame({"sample": "heart-2", "spot": spots, "label": ["atria", "Atria"]})
    with pytest.raises(InputError, match="cohort atlas: labels `Atria` and `atria` differ"):
        cohort_labels(samples[1:], table, "atlas")
