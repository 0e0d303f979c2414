"""The split: no patient on both sides, and only the seed and names matter."""

import numpy as np
import pandas as pd
import pytest

from sagefm.common.errors import InputError
from sagefm.training.split import PARTS, paths_of_part, split_samples


def samples(patients, cohort="c", dataset="d") -> pd.DataFrame:
    """One row a patient given; an empty name is an unnamed patient."""
    n = len(patients)
    return pd.DataFrame(
        {
            "cohort": [cohort] * n,
            "sample": [f"s{i:03d}" for i in range(n)],
            "dataset": [dataset] * n if isinstance(dataset, str) else dataset,
            "patient": patients,
        }
    )


def table_of_416() -> pd.DataFrame:
    """As uneven as HEST-1k: patients of 1 to 12 sections, a fifth unnamed."""
    rng = np.random.default_rng(0)
    patients: list[str] = []
    while len(patients) < 416:
        name = "" if rng.random() < 0.3 else f"P{len(patients)}"
        patients += [name] * int(rng.choice([1, 1, 1, 2, 3, 4, 12]))
    return samples(patients[:416])


def part_of(split) -> dict[str, str]:
    return dict(zip(split["sample"], split["part"], strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_two_sides(seed):
    table = table_of_416()
    split = split_samples(table, seed=seed)
    assert split.groupby("group")["part"].nunique().max() == 1
    named = split[split["patient"] != ""]
    assert named.groupby("patient")["part"].nunique().max() == 1
    assert len(split) == 416
    assert set(split["part"]) == set(PARTS)


@pytest.mark.parametrize("seed", range(5))
def test_shares_of_a_cohort_as_large_as_the_papers(seed):
    counts = split_samples(table_of_416(), seed=seed)["part"].value_counts()
    assert 38 <= counts["test"] <= 42
    assert 38 <= counts["validation"] <= 42


@pytest.mark.parametrize(("n", "expected"), [(10, 1), (20, 2), (25, 3), (70, 7), (416, 42)])
def test_shares_of_single_samples_are_exact_rounded_up(n, expected):
    counts = split_samples(samples([""] * n))["part"].value_counts()
    assert counts["test"] == counts["validation"] == expected


def test_order_of_rows_does_not_matter():
    table = table_of_416()
    expected = split_samples(table)
    for seed in range(3):
        shuffled = table.sample(frac=1, random_state=seed)
        pd.testing.assert_frame_equal(split_samples(shuffled), expected)
    # Several sheets put one after another repeat their row labels.
    doubled = pd.concat([table.iloc[:200], table.iloc[200:].reset_index(drop=True)])
    pd.testing.assert_frame_equal(split_samples(doubled), expected)


def test_seeds_differ_and_repeat():
    table = table_of_416()
    assert part_of(split_samples(table, seed=1)) == part_of(split_samples(table, seed=1))
    tests = [
        frozenset(s for s, p in part_of(split_samples(table, seed=seed)).items() if p == "test")
        for seed in range(5)
    ]
    assert len(set(tests)) == 5


def test_held_out_patients_are_in_the_test_part_with_all_their_samples():
    table = samples([f"P{i // 2}" for i in range(40)])
    for seed in range(4):
        split = split_samples(table, seed=seed, held_out_patients=["P3", "P11"])
        chosen = split[split["patient"].isin(["P3", "P11"])]
        assert set(chosen["part"]) == {"test"}
        assert (split["part"] == "test").sum() == 4  # they fill the share, nobody else joins


def test_more_held_out_than_the_share_leaves_validation_its_own():
    table = samples([f"P{i}" for i in range(20)])
    held = [f"P{i}" for i in range(10)]
    split = split_samples(table, held_out_patients=held)
    assert set(split.loc[split["part"] == "test", "patient"]) == set(held)
    assert (split["part"] == "validation").sum() == 2


def test_unnamed_patients_stand_alone():
    split = split_samples(samples(["", " ", "", "A", "A", "B"]))
    groups = split.set_index("sample")["group"]
    assert groups.nunique() == 5
    assert groups["s003"] == groups["s004"]


def test_a_name_counts_within_its_data_set():
    split = split_samples(samples(["Patient 1"] * 6, dataset=list("aabbcc")))
    assert split["group"].nunique() == 3
    assert set(split["part"]) == set(PARTS)
    assert split.groupby("group")["part"].nunique().max() == 1


def test_one_patient_in_two_cohorts_stays_on_one_side():
    one = samples([f"P{i}" for i in range(10)])
    both = pd.concat([one, one.assign(cohort="other")])
    for seed in range(4):
        split = split_samples(both, seed=seed)
        assert split.groupby("patient")["part"].nunique().max() == 1


def test_duplicates_join_their_groups():
    table = samples([f"P{i}" for i in range(12)] + ["P0"])
    # s000 (P0, with s012) = s005 (P5), and s005 = s007 (P7): four sections are one group.
    duplicates = pd.DataFrame(
        {"sample": ["s005", "s007", "elsewhere"], "duplicate_of": ["s000", "s005", "s001"]}
    )
    for seed in range(6):
        split = split_samples(table, seed=seed, duplicates=duplicates).set_index("sample")
        joined = ["s000", "s005", "s007", "s012"]
        assert split.loc[joined, "group"].nunique() == 1
        assert split.loc[joined, "part"].nunique() == 1
        assert split["group"].nunique() == 10
    held = split_samples(table, duplicates=duplicates, held_out_patients=["P7"])
    assert {part_of(held)[sample] for sample in joined} == {"test"}


@pytest.mark.parametrize(
    ("patients", "held", "missing"),
    [
        (["A", "A", "A", "A"], [], "train"),
        (["A", "B", "B"], [], "train"),
        ([""], [], "train"),
        (["A", "B", "C", "D"], ["A", "B", "C", "D"], "train"),
        (["A", "B", "C", "D"], ["A", "B", "C"], "train"),
    ],
)
def test_too_few_groups_are_refused(patients, held, missing):
    with pytest.raises(
        InputError, match=rf"has no {missing} sample.*add samples of others to the sheet"
    ):
        split_samples(samples(patients), held_out_patients=held)


def test_a_single_patient_is_told_as_one():
    with pytest.raises(InputError, match="1 patient or unnamed sample is too few"):
        split_samples(samples(["A", "A"]))


def test_three_groups_are_enough():
    split = split_samples(samples(["A", "A", "B", "C"]))
    assert split.groupby("part")["group"].nunique().to_dict() == dict.fromkeys(PARTS, 1)


def test_paths_of_a_part_follow_the_split():
    split = split_samples(samples([""] * 20))
    paths = [f"results/x/samples/c/s{i:03d}.h5ad" for i in reversed(range(20))]
    chosen = paths_of_part(split, paths, "train")
    assert [path.stem for path in chosen] == sorted(path.stem for path in chosen)
    assert {path.stem for path in chosen} == {s for s, p in part_of(split).items() if p == "train"}


def test_a_patient_whose_name_recurs_is_held_out_by_data_set_and_name():
    table = samples(["P1"] * 4 + [f"Q{i}" for i in range(20)], dataset=list("aabb") + ["c"] * 20)
    split = split_samples(table, held_out_patients=["a:P1"], test=0.01)
    part = part_of(split)
    assert part["s000"] == part["s001"] == "test"
    assert (split["part"] == "test").sum() == 2
