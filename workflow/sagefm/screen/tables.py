"""Result of a screen: responses of outputs to inputs in each context, and the strongest ones."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:  # takes seconds to import, so functions import it when they need it
    from anndata import AnnData

MEAN = "mean of contexts"

NO_MODEL = "no model"
"""Context of scores that need no model."""

OWN = ("jacobian", "response")
"""The model's scores by preference: the first one available is judged."""


def screen_table(
    responses: np.ndarray, contexts: Mapping[str, int], inputs: pd.DataFrame, outputs: pd.DataFrame
) -> "AnnData":
    """Store a screen as AnnData: `X` is the mean over contexts, with a layer for each of several.

    Slashes in names of contexts become dashes, because HDF5 reads a slash as a folder.

    Parameters
    ----------
    responses
        float32 (contexts, inputs, outputs), normalised expression.
    contexts
        Names of the contexts and their numbers of spots, in the order of the responses.
    inputs, outputs
        Rows of `GeneSums.summary`.
    """
    from anndata import AnnData

    screen = AnnData(responses.mean(axis=0), obs=inputs, var=outputs)
    names = [name.replace("/", "-") for name in contexts]
    if len(names) > 1:
        screen.layers = dict(zip(names, responses, strict=True))
    screen.uns["contexts"] = pd.DataFrame({"context": names, "spots": list(contexts.values())})
    return screen


def by_context(screen: "AnnData") -> dict[str, np.ndarray]:
    """Responses (inputs, outputs) of each context, and of their mean if there are several."""
    names = screen.uns["contexts"]["context"]
    if len(names) == 1:
        return {names.iloc[0]: screen.X}
    return {MEAN: screen.X, **{name: screen.layers[name] for name in names}}


def top_outputs(screen: "AnnData", top: int) -> pd.DataFrame:
    """List the outputs that respond most to each input, up or down, in each context.

    An input's own response is excluded.

    Returns
    -------
    DataFrame
        context, input, rank (1: strongest), output, response (normalised expression).
    """
    tables = []
    itself = np.asarray(screen.obs_names)[:, None] == np.asarray(screen.var_names)
    top = min(top, screen.n_vars)
    for context, responses in by_context(screen).items():
        size = np.where(itself, -1, np.abs(responses))
        strongest = np.argpartition(-size, top - 1, axis=1)[:, :top]
        order = np.argsort(-np.take_along_axis(size, strongest, axis=1), axis=1, kind="stable")
        strongest = np.take_along_axis(strongest, order, axis=1)
        table = {
            "context": context,
            "input": np.repeat(screen.obs_names, top),
            "rank": np.tile(np.arange(1, top + 1), screen.n_obs),
            "output": screen.var_names.to_numpy()[strongest.ravel()],
            "response": np.take_along_axis(responses, strongest, axis=1).ravel(),
        }
        others = ~np.take_along_axis(itself, strongest, axis=1).ravel()
        tables.append(pd.DataFrame(table)[others])
    return pd.concat(tables, ignore_index=True)
