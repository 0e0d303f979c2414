"""Panel genes missing from a section's file: not measured, or measured and never detected."""

import anndata
import numpy as np

UNMEASURED, ZERO = "unmeasured", "zero"

COMPLETE = 0.9
"""A file with at least this share of the panel lacks no more genes than differences in annotation
explain. Bundled sections with unfiltered genes have 95%."""


def measured_genes(
    source: anndata.AnnData, in_source: np.ndarray, absent: str = ""
) -> tuple[np.ndarray, str]:
    """Return which panel genes were measured, and a note on that for the user.

    Parameters
    ----------
    source
        The section with its own genes, raw counts.
    in_source
        bool (panel,): genes that the file has.
    absent
        How the others are treated: `unmeasured`, `zero`, or empty to decide from the file. They are
        `zero` if the file has `COMPLETE` of the panel and no gene without counts, as if those had
        been left out.

    Returns
    -------
    measured : bool (panel,)
    note : str
        Empty unless the file has less than `COMPLETE` of the panel.
    """
    share = in_source.mean()
    given = absent
    if not given:
        detected = np.bincount(source.X.indices, minlength=source.n_vars) > 0
        absent = ZERO if share >= COMPLETE and detected.all() else UNMEASURED
    measured = np.ones_like(in_source) if absent == ZERO else in_source.copy()
    missing = int((~in_source).sum())
    if share >= COMPLETE:
        return measured, ""
    if absent == ZERO:
        return measured, f"{missing:,} panel genes that the file lacks count as 0, as given"
    return measured, (
        f"{missing:,} panel genes that the file lacks count as not measured and are not scored"
        + ("" if given else " (if the file left them out for having no count: `absent: zero`)")
    )
