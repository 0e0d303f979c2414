"""A cohort on disk with the sizes of a sheet: some sections are generated, the rest are links."""

from collections.abc import Sequence
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from bench.generated import generate_section
from sagefm.cohorts.ingest import ingest
from sagefm.common.h5ad import write_h5ad
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.sections.section import Section, sections_of, spot_positions

QC = {"in_tissue": True, "min_counts": 1, "min_genes": 1, "max_mito_share": 1.0, "min_spots": 15}
HARMONISE = {"duplicates": "first", "min_overlap": 0.5}


def chosen_rows(sheet: pd.DataFrame, number: int) -> pd.DataFrame:
    """Choose `number` rows of a sheet, evenly spaced by spot count."""
    ordered = sheet.sort_values(["expected_spots", "sample"], ignore_index=True)
    places = (np.arange(number) + 0.5) * len(ordered) / number
    return ordered.iloc[places.astype(int)].reset_index(drop=True)


def write_sources(
    rows: pd.DataFrame,
    bundled: Sequence[Path],
    panel: Sequence[str],
    counts: float,
    folder: Path,
) -> list[Path]:
    """Generate a section for each row of a sheet, using the bundled ones in turn."""
    paths = []
    for number, row in enumerate(rows.itertuples()):
        source = anndata.read_h5ad(bundled[number % len(bundled)])
        section = generate_section(
            source,
            panel,
            spots=int(row.expected_spots),
            genes=int(row.expected_genes),
            counts=counts,
            seed=number,
        )
        paths.append(folder / f"{row.sample}.h5ad")
        write_h5ad(section, paths[-1])
    return paths


def write_samples(sources: Sequence[Path], panel: Sequence[str], folder: Path) -> list[Path]:
    """Write the harmonised sample of each source and return the paths."""
    paths = []
    for source in sources:
        row = {"cohort": "made", "sample": source.stem}
        paths.append(folder / f"samples/made/{source.name}")
        write_h5ad(ingest(source, row, panel, QC, HARMONISE), paths[-1])
    return paths


def write_graphs(samples: Sequence[Path], folder: Path) -> list[Path]:
    """Write the paper's neighbourhoods of each sample and return the paths."""
    paths = []
    for sample in samples:
        paths.append(folder / f"graphs/made/{sample.stem}.npz")
        save_graph(build_graph(spot_positions(sample)[0], "knn_clique", size=15), paths[-1])
    return paths


def link_cohort(
    sheet: pd.DataFrame, samples: Sequence[Path], graphs: Sequence[Path], folder: Path
) -> list[Section]:
    """Link each row of a sheet to the generated section with the nearest number of spots."""
    made = pd.DataFrame({"sample": samples, "graph": graphs})
    sizes = np.array([s.n_spots() for s in sections_of(samples, graphs)])
    linked: dict[str, list[Path]] = {"samples": [], "graphs": []}
    for row in sheet.itertuples():
        nearest = made.iloc[int(np.argmin(np.abs(sizes - row.expected_spots)))]
        for kind, target in (("samples", nearest["sample"]), ("graphs", nearest["graph"])):
            link = folder / f"{kind}/linked/{row.sample}{target.suffix}"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target.resolve())
            linked[kind].append(link)
    return sections_of(linked["samples"], linked["graphs"])


def first_spots(sections: Sequence[Section], spots: int) -> list[Section]:
    """Return the first sections that have `spots` spots in total, or all sections."""
    reached = np.cumsum([section.n_spots() for section in sections])
    return list(sections[: int(np.searchsorted(reached, spots)) + 1])
