"""Check that each task has two classes to distinguish, as far as tables show it."""

from collections.abc import Mapping

import pandas as pd

from sagefm.annotation.set_tables import read_gene_sets
from sagefm.common.errors import InputError
from sagefm.common.keys import check_case
from sagefm.sections.genes import read_panel


def check_classes(config: Mapping, spots: Mapping[str, pd.Series]) -> None:
    """Check that each task keeps at least two classes, and each of its gene sets at least one gene.

    Parameters
    ----------
    config
        The config: valid, with references checked.
    spots
        Spots by task, from `data.check_label_tables`.

    Raises
    ------
    InputError
        If the panel cannot be read, or at the first task without two classes.
    """
    panel = read_panel(config["panel"])
    for name, task in config["tasks"].items():
        try:
            if task["labels"]["source"] == "module_scores":
                _check_sets(task["labels"]["gene_sets"], panel)
            if name in spots:
                _check_left(spots[name], task)
        except InputError as error:
            raise InputError(f"config, at tasks.{name}: {error}") from error


def _check_sets(path: str, panel: list[str]) -> None:
    for name, genes in read_gene_sets(path).items():
        if not {*panel} & {*genes}:
            raise InputError(
                f"{path}: gene set `{name}`: none of its {len(genes)} genes is in the panel (the "
                f"first: `{genes[0]}`). Fix: use symbols of the panel, or leave the set out."
            )


def _check_left(spots: pd.Series, task: Mapping) -> None:
    """Check which classes remain if all spots named in the table are in the sections."""
    merged = {old: new for new, olds in task["merge"].items() for old in olds}
    left = spots.drop(task["drop"]).rename(merged)
    left = left.groupby(level=0).sum()
    check_case(sorted(left.index), "classes, those of `merge` among them,")
    kept = left.index[left >= task["min_spots"]]
    if len(kept) < 2:
        raise InputError(
            f"{('no', 'one')[len(kept)]} class would be left with {task['min_spots']} labelled "
            "spots or more, but a task needs two. Fix: lower `min_spots`, or drop and merge fewer "
            "classes."
        )
