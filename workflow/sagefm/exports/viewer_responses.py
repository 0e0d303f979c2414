"""Responses to perturbations in the section viewer: a few pairs, at every spot."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sagefm.exports.viewer import Pages
from sagefm.networks.fitted import FittedModel
from sagefm.perturbation.maps import pairs_to_map, response_map
from sagefm.perturbation.terms import hidden_outputs
from sagefm.sections.section import Section


def shown_responses(
    model: FittedModel,
    sections: Sequence[Section],
    genes: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    named: Sequence[Sequence[str]],
    hidden: Mapping[str, str],
) -> dict[str, np.ndarray]:
    """How much a pair's output changes at each spot: float32 (spots,), by `INPUT → OUTPUT`.

    The input is set from its lowest to its highest level in all neighbours, as in the maps of the
    perturbation, whose pairs these are.

    Parameters
    ----------
    sections
        Those on the page, in its order.
    genes
        Of the cohort, by `gene_summary.summary_over`: the levels.
    tables
        By name, of `summary.summarise_pairs`.
    named
        Pairs that are shown in any case, as in the config.
    hidden
        By the name of a table, of `terms.hidden_by`.
    """
    found: dict[str, np.ndarray] = {}
    for name, pairs in tables.items():
        chosen = pairs_to_map(pairs, named)
        at_centre = [hidden_outputs(pairs, source, hidden[name]) for source in chosen["input"]]
        maps = pd.concat([response_map(model, [one], genes, chosen, at_centre) for one in sections])
        for pair in chosen.itertuples():
            own = (maps["input"] == pair.input) & (maps["output"] == pair.output)
            values = maps.loc[own, "response"].to_numpy(np.float32)
            found.setdefault(f"{pair.input} \N{RIGHTWARDS ARROW} {pair.output}", values)
    return found


def add_responses(pages: Pages, responses: Mapping[str, np.ndarray]) -> None:
    """Put responses on the page: `response|PAIR`, and each one's largest size over the spots.

    Parameters
    ----------
    responses
        Of `shown_responses`.
    """
    pages.facts["responses"] = {}
    for pair, values in responses.items():
        pages.columns[f"response|{pair}"] = values
        pages.facts["responses"][pair] = float(np.abs(values).max())
