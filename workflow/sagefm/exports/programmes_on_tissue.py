"""Where on tissue programmes are high, and whether other fits of a model find them again."""

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
"""Spots from which a label counts in a section."""


def refit(model: FittedModel, sections: Sequence[Section]) -> FittedModel:
    """A model's programmes as other sections give them, before any training of its decoder.

    Parameters
    ----------
    model
        Of a network that fits its input (`GeneDecoder.fits_input`).
    sections
        On the model's genes and graph.
    """
    network = build_network(model.recipe.network, len(model.genes), model.network.widths, seed=0)
    batches = model.batches(sections, every_gene=model.unmeasured is None)
    network.fit_input(batches.first_chunk)
    return FittedModel(network, model.recipe)


def matched_values(adata: AnnData, model: FittedModel, reference: FittedModel) -> np.ndarray:
    """A section's values of a reference's programmes, by another fit of the model.

    Each programme of the reference gets the other fit's that resembles it most, in its direction.

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
    """How like the programmes of other fits are those of a reference.

    Returns
    -------
    DataFrame
        fit, programme, correlation: the absolute correlation of the genes' weights, best match.
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
    """Programmes of one section by label, and how they are spread.

    Parameters
    ----------
    values
        float (spots, programmes).
    labels
        Of the spots; missing where a spot has none.
    coordinates
        (spots, 2), pixels.

    Returns
    -------
    by_label
        programme, label, value (mean over the label's spots, in standard deviations of the section
        from its mean), n_spots. Labels of fewer than `MIN_LABEL_SPOTS` spots are left out.
    spread
        programme, moran_i (over the array's neighbours), label_share (of the variance of labelled
        spots, between labels: eta squared).
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
    """Programmes by label, over patients.

    Parameters
    ----------
    by_label
        patient, programme, label, value; a row for each patient that has the label.

    Returns
    -------
    DataFrame
        programme, label, value (mean over patients), n_patients, n_highest: the patients in which
        no other label has a higher value.
    """
    highest = by_label.groupby(["patient", "programme"])["value"].transform("max")
    marked = by_label.assign(highest=by_label["value"] == highest)
    return marked.groupby(["programme", "label"], as_index=False).agg(
        value=("value", "mean"), n_patients=("patient", "nunique"), n_highest=("highest", "sum")
    )
