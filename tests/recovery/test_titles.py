"""Titles of recovery figures state what the tables hold, whatever the result."""

import numpy as np
import pandas as pd
import pytest

from sagefm.recovery.titles import (
    correlations,
    frequent_genes,
    genes_here,
    share_recovered,
    shares_recovered,
)


def group(**shares: float) -> pd.DataFrame:
    return pd.DataFrame({"predictor": [*shares], "patients_recovered": [*shares.values()]})


BETTER = group(model=0.6, neighbour_mean=0.4, zero=np.nan)
EQUAL = group(model=0.4, neighbour_mean=0.4)
CONSTANT = group(model=np.nan, neighbour_mean=0.4)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (BETTER, "model 60%, neighbour mean 40%"),
        (group(model=0.3, visible_depth=0.5), "model 30%, depth of the visible genes 50%"),
        (group(model=0.3), "model 30%"),
        (CONSTANT, "the model's predictions do not vary: it recovers no gene"),
    ],
)
def test_shares_are_those_of_the_model_and_the_best_other(table, words):
    assert share_recovered(table) == words
    one = shares_recovered([table], 0.91)
    assert one == f"Genes recovered within sections: {words}; paper 91%"


def test_of_several_groups_those_are_counted_in_which_the_model_is_above_all():
    assert shares_recovered([BETTER, EQUAL, CONSTANT], 0.5) == (
        "The model recovers more genes than every other predictor in 1 of 3 panels, "
        "and reaches the paper's 50% in 1"
    )


def bins(model: float, control: float | None) -> pd.DataFrame:
    rows = [("0.0-0.3", "model", 0.1, "model"), ("0.3-1.0", "model", model, "model")]
    if control is not None:
        rows.append(("0.3-1.0", "visible_depth", control, "control"))
    table = pd.DataFrame(rows, columns=["stratum", "predictor", "patients_recovered", "role"])
    return table.assign(stratum_kind="detection")


@pytest.mark.parametrize(
    ("table", "end"),
    [
        (bins(0.7, 0.9), "the model recovers 70%, depth of the visible genes alone 90%"),
        (bins(0.7, None), "the model recovers 70%"),
    ],
)
def test_frequent_genes_are_those_of_the_last_bin(table, end):
    assert frequent_genes(table) == f"of genes detected in 30 to 100% of spots, {end}"
    nothing = table.assign(patients_recovered=np.nan)
    assert frequent_genes(nothing).endswith("it recovers no gene")


def genes(model: list[float], mean: list[float]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"gene": range(len(own)), "predictor": name, "pearson": own})
        for name, own in (("model", model), ("neighbour_mean", mean))
    ]
    return pd.concat(parts).assign(within_pearson=lambda table: table["pearson"])


def test_a_gene_that_is_constant_or_equal_is_not_above():
    table = genes([0.5, 0.3, np.nan, 0.2], [0.1, 0.3, 0.2, np.nan])
    assert correlations(table) == (
        "Model's correlation above the neighbour mean's: 33% of genes within sections, 33% pooled"
    )
    alone = table[table["predictor"] == "model"]
    assert correlations(alone).endswith("over genes within sections: 0.30")
    constant = genes([np.nan] * 2, [0.1, 0.2])
    assert (
        correlations(constant) == "The model's predictions do not vary: no gene has a correlation"
    )


def test_correlations_of_a_section_leave_out_genes_that_do_not_vary():
    truth = np.arange(5.0)
    maps = pd.concat(
        [
            pd.DataFrame(
                {"gene": "A", "truth": truth, "predicted": truth, "neighbour_mean": -truth}
            ),
            pd.DataFrame({"gene": "B", "truth": truth, "predicted": 1.0, "neighbour_mean": truth}),
        ]
    )
    one = "Correlation over the gene that varies in this section: model 1.00, neighbour mean −1.00"
    assert genes_here(maps) == one
    assert genes_here(maps[maps["gene"] == "B"]).startswith("No gene of this section varies")
    two = pd.concat([maps[maps["gene"] == "A"], maps[maps["gene"] == "A"].assign(gene="C")])
    assert genes_here(two).startswith("Median correlation over these 2 genes")
