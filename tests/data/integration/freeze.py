"""Make `scib_metrics.tsv`, the reference values of `clustering/test_integration.py`.

Run it in a separate environment with scib-metrics 0.5.10 (jax 0.10.2):

    pip install scib-metrics==0.5.10
    PYTHONPATH=tests python tests/data/integration/freeze.py

scib-metrics lacks CiLISI, which is computed here from its `lisi_knn` of each label. The summary is
that of its `Benchmarker` without the metrics that this project does not compute (kBET, principal
component regression).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import scib_metrics
from anndata import AnnData
from scib_metrics.benchmark import BatchCorrection, Benchmarker, BioConservation
from scib_metrics.nearest_neighbors import jax_approx_min_k

from support.integration_cases import cases


def cilisi(values: np.ndarray, labels: np.ndarray, batches: np.ndarray) -> float:
    found = []
    for label in np.unique(labels):
        own = labels == label
        number = len(np.unique(batches[own]))
        if number > 1:
            near = jax_approx_min_k(values[own], min(90, int(own.sum())))
            found.append((scib_metrics.lisi_knn(near, batches[own]) - 1) / (number - 1))
    return np.concatenate(found).mean()


rows = []
for name, (values, labels, batches) in cases().items():
    near = jax_approx_min_k(values, 90)
    own = {
        "isolated_labels": scib_metrics.isolated_labels(values, labels, batches),
        "silhouette": scib_metrics.silhouette_label(values, labels),
        "clisi": scib_metrics.clisi_knn(near, labels),
        "bras": scib_metrics.bras(values, labels, batches),
        "ilisi": scib_metrics.ilisi_knn(near, batches),
        "cilisi": cilisi(values, labels, batches),
        "graph_connectivity": scib_metrics.graph_connectivity(near.subset_neighbors(15), labels),
    }
    obs = pd.DataFrame({"label": labels, "batch": batches}).astype(str).astype("category")
    benchmark = Benchmarker(
        AnnData(values, obs=obs, obsm={"x": values}),
        batch_key="batch",
        label_key="label",
        embedding_obsm_keys=["x"],
        bio_conservation_metrics=BioConservation(),
        batch_correction_metrics=BatchCorrection(kbet_per_label=False, pcr_comparison=False),
        progress_bar=False,
    )
    benchmark.prepare(neighbor_computer=jax_approx_min_k)
    benchmark.benchmark()
    results = benchmark.get_results(min_max_scale=False).loc["x"]
    own |= {
        "nmi": results["KMeans NMI"],
        "ari": results["KMeans ARI"],
        "bio_conservation": results["Bio conservation"],
        "batch_correction": results["Batch correction"],
        "total": results["Total"],
    }
    rows += [(name, metric, f"{float(value):.7f}") for metric, value in own.items()]
table = pd.DataFrame(rows, columns=["case", "metric", "value"])
table.to_csv(Path(__file__).with_name("scib_metrics.tsv"), sep="\t", index=False)
