"""The claims on pretraining: the data used and the size of the model."""

from collections.abc import Mapping

import pandas as pd

from sagefm.common.claim import Claim
from sagefm.common.text import count


def pretraining_claims(
    model: str,
    organs: pd.DataFrame,
    duplicates: pd.DataFrame,
    split: pd.DataFrame,
    training: Mapping,
    paper_data: bool,
    reported: tuple[int, int],
) -> list[Claim]:
    """Judge claim 1 (`pretraining_set`) and `lightweight`.

    Parameters
    ----------
    organs, duplicates
        Tables from `pretraining_set` for the cohorts that the model is trained on.
    split, training
        The model's split with the columns of `seen.mark_seen`, and the summary of its training
        (empty for a released checkpoint).
    paper_data
        Whether those cohorts are the paper's.
    reported
        Numbers of samples and organs in the paper.
    """
    samples, names = int(organs["n_samples"].sum()), [*organs["organ"]]
    parts = split["part"].value_counts()
    verdict, why = _pretraining_verdict(samples, sorted(names), paper_data, *reported)
    return [
        Claim(
            "pretraining_set",
            model,
            obtained=f"{count(samples, 'section')}, {count(len(names), 'organ')}",
            baseline="-",
            n=", ".join(f"{parts[part]} {part}" for part in ("train", "validation", "test")),
            evidence="pretraining/organs.tsv",
            verdict=verdict,
            reason=f"{why}; {_persons(organs, split)}{_twice(samples, duplicates)}",
            protocol="counted from the sheets",
        ),
        _lightweight(model, training),
    ]


def _pretraining_verdict(
    samples: int, organs: list[str], paper_data: bool, paper_samples: int, paper_organs: int
) -> tuple[str, str]:
    if not paper_data:
        return "proxy", f"this run's sections, not the paper's {paper_samples}"
    if samples != paper_samples:
        return "contradicted", f"{samples} sections instead of {paper_samples}"
    if len(organs) != paper_organs:
        return "inconclusive", (
            f"the {samples} sections carry {len(organs)} organ names ({', '.join(organs)}), the "
            f"paper counts {paper_organs} and lists none, so where they differ is unknown"
        )
    return "supported", "both counts agree"


def _persons(organs: pd.DataFrame, split: pd.DataFrame) -> str:
    """Describe how many patients can be held out and for how many test samples this is certain."""
    groups, unnamed = split["group"].nunique(), organs["n_without_patient"].sum()
    words = f"split by {groups} groups with no known patient in common"
    if not unnamed:
        return words
    words += f", {count(unnamed, 'section')} {'names' if unnamed == 1 else 'name'} none"
    tested = split[split["part"] == "test"]
    seen = tested["patient_seen"].astype("boolean")
    return words + (
        f"; of {count(len(tested), 'test section')} {seen.eq(False).sum()} of patients known to be "
        f"unseen, {seen.isna().sum()} of unknown patients, {tested['dataset_seen'].sum()} of data "
        "sets that are also in training"
    )


def _twice(samples: int, duplicates: pd.DataFrame) -> str:
    """List sections that were deposited twice and count the distinct ones."""
    if duplicates.empty:
        return ""
    pairs = ", ".join(
        f"{sample} is {original}"
        for sample, original in zip(duplicates["sample"], duplicates["duplicate_of"], strict=True)
    )
    return f"; {len(duplicates)} were deposited twice ({pairs}), {samples - len(duplicates)} differ"


def _lightweight(model: str, training: Mapping) -> Claim:
    obtained = "a released checkpoint, not trained here"
    n = "-"
    if training and not training["epochs"]:
        obtained = f"{training['parameters']:,} parameters; not trained"
    elif training:
        cost = training["core_hours"], "core-hours"
        if training["gpu_hours"] is not None:
            cost = training["gpu_hours"], "GPU-hours"
        steps = training["epochs"] * training["train_spots"]
        obtained = (
            f"{training['parameters']:,} parameters; {cost[0]:.2g} {cost[1]} of training, "
            f"{1e3 * training['seconds'] / steps:.2g} ms a spot"
        )
        n = f"{count(training['epochs'], 'epoch')} of {count(training['train_spots'], 'spot')}"
    return Claim(
        "lightweight",
        model,
        obtained=obtained,
        baseline="-",
        n=n,
        verdict="inconclusive",
        reason="the paper gives no reference value",
        evidence=f"models/{model}/training.json" if training else "-",
        protocol="training as timed on the machine it ran on" if training else "-",
    )
