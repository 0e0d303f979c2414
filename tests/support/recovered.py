"""Tables of recovery from artificial predictions."""

from functools import cache

import numpy as np
import pandas as pd

from sagefm.recovery.predictors import DEPTH_DEGREE, EXPRESSION, PREDICTORS, RANKED, depth_terms
from sagefm.recovery.sums import Recovery
from sagefm.recovery.tables import gene_table, recovery_summary
from sagefm.stats.correlation import Moments
from sagefm.stats.partial import Covariates


@cache
def recovery_like(genes: int = 200, spots: int = 150) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summary and gene table of three sections, computed by the library's own code."""
    rng = np.random.default_rng(2)
    rates = np.geomspace(0.1, 2, genes)  # each is detected somewhere
    recovery = Recovery(genes=genes)
    for number, (patient, seen) in enumerate([("A", True), ("B", False), ("", True)]):
        level = rng.uniform(0.3, 1, (spots, 1))
        truth = np.log1p(rng.poisson(rates * level))
        mask = rng.random(truth.shape) < 0.3
        predicted = np.zeros((len(EXPRESSION), *truth.shape), dtype=np.float32)
        predicted[0] = rates * level
        predicted[0, :, 5] = 0  # an output with an inactive ReLU
        predicted[1] = rates * level + rng.normal(0, 0.1, truth.shape)
        predicted[2], predicted[3] = truth.mean(axis=0), rates
        blind = level.T + rng.normal(0, 0.1, (len(PREDICTORS) - len(EXPRESSION), spots))
        shape = len(PREDICTORS), genes
        moments, depth = Moments.zeros(*shape), Covariates.zeros(DEPTH_DEGREE, *shape)
        moments.add(truth, predicted, mask, blind)
        depth.add(truth, predicted, mask, depth_terms(np.expm1(truth).sum(axis=1)), blind)
        facts = {"sample": f"S{number}", "patient": patient, "organ": f"Organ {number % 2}"}
        scores = pd.DataFrame({"predictor": np.repeat(EXPRESSION, spots), "r2": 0.1})
        detected = (mask & (truth > 0)).sum(axis=0)
        recovery.add_section(facts | {"patient_seen": seen}, moments, depth, scores, detected)
    recovery.spearman[: len(RANKED)] = recovery.strata["all", "all"].pearson()[: len(RANKED)]
    recovery.spearman_n += recovery.strata["all", "all"].n
    table = gene_table(recovery, [f"GENE{i}" for i in range(genes)])
    names = {"model": "paper", "cohort": "breast"}
    return recovery_summary(recovery, table).assign(**names), table.assign(**names)


def maps_like(genes: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x, y = (axis.ravel() * 250.0 for axis in np.meshgrid(np.arange(20), np.arange(12)))
    parts = [
        pd.DataFrame(
            {
                "sample": "S1",
                "spot": [f"spot{i}" for i in range(len(x))],
                "x_pixels": x,
                "y_pixels": y,
                "gene": f"GENE{i}",
                "position": "median",
                "pearson": 0.5,
                "truth": rng.poisson(i, len(x)) * 1.0,  # the first is not expressed anywhere
                "predicted": rng.random(len(x)) * float(i > 0),
                "neighbour_mean": rng.random(len(x)) * float(i > 0),
            }
        )
        for i in range(genes)
    ]
    return pd.concat(parts).assign(model="paper", cohort="breast")
