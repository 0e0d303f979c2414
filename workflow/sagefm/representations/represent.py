"""Computation of an entry of `representations.methods` on a cohort."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from sagefm.common.errors import InputError
from sagefm.representations.registry import load_entry, method_of, read_options
from sagefm.sections.cohort import Cohort, cohort_obs


def represent_entry(
    name: str, entry: Mapping, cohort: Cohort, seed: int
) -> tuple[np.ndarray | sp.csr_matrix, dict[str, Any]]:
    """Compute the values of an entry on a cohort, and facts about them.

    Parameters
    ----------
    name, entry
        Name and keys of the entry, from `registry.on_cohort`.
    cohort
        Cohort to represent.
    seed
        Seed of the method.

    Returns
    -------
    values, facts
        Values (spots, features), dense or CSR, and facts for `write_representation`.

    Raises
    ------
    InputError
        If a matrix cannot be joined to the cohort's spots, or a user's own file does not return one
        row of finite numbers per spot.
    """
    method, options = load_entry(name, entry), read_options(name, entry)
    facts = {
        "method": method_of(name, entry),
        "spatial": method.description.spatial,
        "transductive": method.transductive,
        "withheld_genes": len(cohort.withheld),
    }
    try:
        values = method.represent(cohort, options, seed)
        return _checked(values, len(cohort_obs(cohort.samples))), facts
    except InputError as error:
        raise InputError(f"config, at representations.methods.{name}: {error}") from error


def _checked(values: Any, spots: int) -> np.ndarray | sp.csr_matrix:
    """Return values as an array or CSR matrix, if they are (spots, features) and finite."""
    sparse = sp.issparse(values)
    table = sp.csr_matrix(values) if sparse else np.asarray(values)
    fix = "Fix: return an array (spots, features) with the spots of `cohort.sections()` in order."
    if table.ndim != 2 or not table.shape[1]:
        raise InputError(f"what `represent` returns has shape {table.shape}. {fix}")
    if table.shape[0] != spots:
        raise InputError(f"`represent` returns {table.shape[0]} rows for {spots} spots. {fix}")
    numbers = np.asarray(table.data if sparse else table)
    if numbers.dtype.kind not in "biuf" or not np.isfinite(numbers).all():
        raise InputError("`represent` returns values that are not numbers. Fix: replace them.")
    return table
