"""Panel genes that a section's file leaves out: not measured, or measured and never detected."""

import anndata
import numpy as np

UNMEASURED, ZERO = "unmeasured", "zero"

COMPLETE = 0.9
"""Share of the panel from which on a file lacks no more than other annotations do: those of the
bundled sections whose genes were not filtered have 95%."""


def measured_genes(
    source: anndata.AnnData, in_source: np.ndarray, absent: str = ""
) -> tuple[np.ndarray, str]:
    """Which panel genes were measured, and what a user needs to see of that.

    Parameters
    ----------
    source
        The section in its own genes, raw counts.
    in_source
        bool (panel,): genes that the file has.
    absent
        What the others are: `unmeasured`, `zero`, or empty to find out. They are `zero` if the file
        has `COMPLETE` of the panel and no gene without a count, as if these were left out.

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
