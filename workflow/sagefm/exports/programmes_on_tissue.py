"""Programmes on tissue: their values by label, spatial spread, and stability across fits."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from sagefm.exports.api import EMBEDDING, embed
from sagefm.exports.programmes import programmes
from sagefm.graphs.neighbourhoods import neighbour_weights
from sagefm.networks.base import build_network
from sagefm.networks.fitted import FittedModel
from sagefm.sections.section import Section
from sagefm.stats.matching import match_columns

MIN_LABEL_SPOTS = 5
"""Minimum number of spots a label needs to count in a section."""


def refit(model: FittedModel, sections: Sequence[Section]) -> FittedModel:
    """Fit a model's programmes to other sections, without training its decoder.

    Parameters
    ----------
    model
        A model whose network fits its input (`GeneDecoder.fits_input`).
    sections
        Sections on the model's genes and graph.
    """
    network = build_network(model.recipe.network, len(model.genes), model.network.widths, seed=0)
    batches = model.batches(sections, every_gene=model.unmeasured is None)
    network.fit_input(batches.first_chunk)
    return FittedModel(network, model.recipe)


def matched_values(adata: AnnData, model: FittedModel, reference: FittedModel) -> np.ndarray:
    """Score a section on a reference's programmes, computed by another fit of the model.

    Each reference programme is matched to the most similar programme of the other fit, with its
    sign aligned.

    Returns
    -------
    float64 (spots, programmes)
    """
    partner, correlation = match_columns(
        programmes(reference).to_numpy(), programmes(model).to_numpy()
    )
    values = embed(adata, model).obsm[EMBEDDING][:, partner]
    return values.astype(np.float64) * np.sign(correlation)


def stability(reference: FittedModel, fits: Mapping[str, FittedModel]) -> pd.DataFrame:
    """Correlate the programmes of a reference with their best matches in other fits.

    Returns
    -------
    DataFrame
        fit, programme, correlation (absolute, of the gene weights).
    """
    own = programmes(reference)
    tables = []
    for name, fit in fits.items():
        _, correlation = match_columns(own.to_numpy(), programmes(fit).to_numpy())
        columns = {"fit": name, "programme": own.columns, "correlation": np.abs(correlation)}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def section_profile(
    values: np.ndarray, labels: pd.Series, coordinates: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarise the programmes of one section by label and by spatial spread.

    Parameters
    ----------
    values
        float (spots, programmes).
    labels
        Label of each spot, or missing.
    coordinates
        (spots, 2), pixels.

    Returns
    -------
    by_label
        programme, label, value (mean over the label's spots, in standard deviations of the section
        from its mean), n_spots. Labels with fewer than `MIN_LABEL_SPOTS` spots are excluded.
    spread
        programme, moran_i (over the array's neighbours), label_share (share of the variance of
        labelled spots between labels: eta squared).
    """
    from scanpy.metrics import morans_i

    deviation = values.std(axis=0)
    scaled = pd.DataFrame((values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1))
    names = pd.Series(labels.to_numpy(dtype=object), name="label")
    kept = names.map(names.value_counts()).ge(MIN_LABEL_SPOTS)
    groups = scaled[kept].groupby(names[kept])
    means, sizes = groups.mean(), groups.size()
    by_label = means.rename_axis(columns="programme").stack().rename("value").reset_index()
    by_label = by_label.assign(n_spots=by_label["label"].map(sizes))
    inside = scaled[kept]
    between = np.square(groups.transform("mean") - inside.mean()).sum()
    total = np.square(inside - inside.mean()).sum()
    spread = pd.DataFrame(
        {
            "programme": scaled.columns,
            "moran_i": morans_i(neighbour_weights(coordinates), scaled.to_numpy().T),
            "label_share": (between / total).to_numpy(),
        }
    )
    return by_label[["programme", "label", "value", "n_spots"]], spread


def label_summary(by_label: pd.DataFrame) -> pd.DataFrame:
    """Average programmes by label over patients.

    Parameters
    ----------
    by_label
        patient, programme, label, value; one row for each patient with the label.

    Returns
    -------
    DataFrame
        programme, label, value (mean over patients), n_patients, n_highest (number of patients in
        which no other label has a higher value).
    """
    highest = by_label.groupby(["patient", "programme"])["value"].transform("max")
    marked = by_label.assign(highest=by_label["value"] == highest)
    return marked.groupby(["programme", "label"], as_index=False).agg(
        value=("value", "mean"), n_patients=("patient", "nunique"), n_highest=("highest", "sum")
    )
