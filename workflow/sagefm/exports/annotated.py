"""Labels for a section, learnt from labelled sections through a model's embedding."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from sagefm.annotation.reference import Reference
from sagefm.common.errors import InputError
from sagefm.exports.api import EMBEDDING, embed
from sagefm.exports.labelled import representation_of, spots_of
from sagefm.networks.fitted import FittedModel

LABEL, CONFIDENCE, PROBABILITIES = "sagefm_label", "sagefm_confidence", "label_probabilities"

MIN_CLASS_SPOTS = 5
"""Minimum number of spots a class needs in a patient to count in the reference's accuracy."""


def fit_reference(
    adata: AnnData,
    model: FittedModel,
    label: str,
    *,
    patient: str | None = None,
    layer: str | None = None,
    library_key: str | None = None,
    technology: str | None = None,
    min_overlap: float | None = None,
    seed: int = 0,
) -> Reference:
    """Fit a classifier to labelled spots and measure its accuracy on held-out patients.

    Parameters
    ----------
    adata
        Labelled sections with raw counts, as for `embed`. Their embedding is written to
        `obsm["X_sagefm"]`.
    model
        A model from `load`.
    label
        Column of `obs` that names each spot's class. Spots without a class are not used.
    patient
        Column of `obs` that names each spot's patient. If not given, each section counts as a
        patient.
    layer, library_key, technology, min_overlap
        See `embed`.
    seed
        Seed of the classifier.

    Returns
    -------
    Reference
        The classifier for `annotate`. `facts` has its accuracy and calibration error on held-out
        patients, `reliability` its accuracy by confidence, and `calls` its coverage and accuracy
        at several confidence thresholds. `save` writes it to one file.

    Raises
    ------
    InputError
        If a column is missing or fewer than two classes are labelled; see also `embed`.

    Examples
    --------
    >>> adata.obs["half"] = ["a" if row < 41 else "b" for row in range(82)]
    >>> reference = sagefm.fit_reference(adata, model, "half")
    >>> reference.save("reference.npz")
    """
    spots = spots_of(adata, label=label, patient=patient, library_key=library_key)
    embed(
        adata, model, layer=layer, library_key=library_key, technology=technology,
        min_overlap=min_overlap,
    )  # fmt: skip
    values = adata.obsm[EMBEDDING]
    representation = representation_of("sagefm", values, spots)
    reference = Reference.fit(representation, spots, MIN_CLASS_SPOTS, seed)
    return reference.with_facts(model=fingerprint(model), label=label)


def annotate(
    adata: AnnData,
    model: FittedModel,
    reference: Reference | str | Path,
    *,
    confidence: float = 0.5,
    layer: str | None = None,
    library_key: str | None = None,
    technology: str | None = None,
    min_overlap: float | None = None,
) -> AnnData:
    """Label each spot with a class learnt from labelled sections.

    Writes `obs["sagefm_label"]` (missing where the confidence is too low),
    `obs["sagefm_confidence"]` (calibrated probability of the most probable class),
    `obsm["label_probabilities"]` (table of spots by classes) and `obsm["X_sagefm"]`.

    Parameters
    ----------
    adata
        Sections with raw counts, as for `embed`.
    model
        The model that the reference was fitted with.
    reference
        A reference from `fit_reference`, or the file it was saved to.
    confidence
        Minimum probability for a label, 0 to 1. Spots below it get no label. For several values,
        `reference.calls` lists the share of held-out spots with a label and their accuracy.
    layer, library_key, technology, min_overlap
        See `embed`.

    Returns
    -------
    AnnData
        `adata` itself.

    Raises
    ------
    InputError
        If the reference cannot be read or was fitted with another model; see also `embed`.

    Examples
    --------
    >>> adata.obs["half"] = ["a" if row < 41 else "b" for row in range(82)]
    >>> reference = sagefm.fit_reference(adata, model, "half")
    >>> sagefm.annotate(adata, model, reference, confidence=0.6).obsm["label_probabilities"].shape
    (82, 2)
    """
    if not 0 <= confidence <= 1:
        raise InputError(
            f"`confidence` is {confidence:g}, but must be between 0 and 1. Fix: correct it."
        )
    if not isinstance(reference, Reference):
        reference = Reference.load(reference)
    if reference.facts.get("model") != fingerprint(model):
        raise InputError(
            "the reference was fitted with another model. Fix: load the model that it was fitted "
            "with, or fit the reference again."
        )
    embed(
        adata, model, layer=layer, library_key=library_key, technology=technology,
        min_overlap=min_overlap,
    )  # fmt: skip
    found = reference.probabilities(adata.obsm[EMBEDDING])
    highest = found.max(axis=1)
    called = np.where(highest >= confidence, reference.classes[found.argmax(axis=1)], None)
    adata.obs[LABEL] = pd.Categorical(called, categories=reference.classes)
    adata.obs[CONFIDENCE] = highest.astype(np.float32)
    table = pd.DataFrame(found.astype(np.float32), adata.obs_names, reference.classes)
    adata.obsm[PROBABILITIES] = table
    return adata


def fingerprint(model: FittedModel) -> str:
    """Hash a model's weights and genes to 16 hex digits, so that equal models have equal hashes."""
    digest = hashlib.sha256("\n".join(model.genes).encode())
    for name, weights in sorted(model.network.state_dict().items()):
        digest.update(name.encode())
        digest.update(weights.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
