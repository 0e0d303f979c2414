"""Neighbourhood files of a cohort's sections: one per sample, in one folder per cohort."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sagefm.common.errors import InputError
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.sections.section import spot_positions

log = logging.getLogger("sagefm")


def graph_files(samples: Sequence[str | Path], folders: Iterable[str | Path]) -> list[Path]:
    """Return the graph of each sample `{cohort}/{sample}.h5ad`, in its cohort's folder."""
    of_cohort = {Path(folder).name: Path(folder) for folder in folders}
    return [of_cohort[Path(sample).parent.name] / f"{Path(sample).stem}.npz" for sample in samples]


def write_graphs(
    samples: Sequence[str | Path], folder: str | Path, spec: Mapping, arrays: Mapping[str, str]
) -> None:
    """Write the graph of each sample of a cohort into a folder named as the cohort.

    Parameters
    ----------
    samples
        Harmonised samples (h5ad).
    spec
        Kind and options for `build_graph`.
    arrays
        Array of each sample, or the technology that determines it.

    Raises
    ------
    InputError
        If a sample cannot have such neighbourhoods; see `build_graph`. The message names it.
    """
    for sample, path in zip(samples, graph_files(samples, [folder]), strict=True):
        coordinates, array = spot_positions(sample)
        try:
            graph = build_graph(coordinates, **spec, array=array, technology=arrays[path.stem])
        except InputError as error:
            raise InputError(f"{Path(folder).name}/{path.stem}: {error}") from error
        mean = len(graph.ego) / graph.n_spots
        log.info("%s: %d spots, %.1f in a neighbourhood", path.stem, graph.n_spots, mean)
        save_graph(graph, path)
