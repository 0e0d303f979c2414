"""The bundled sections, harmonised to the panel and with neighbourhoods, as in the workflow."""

from collections.abc import Sequence
from pathlib import Path

from bench.cohort_files import write_graphs, write_samples
from sagefm.sections.genes import read_panel
from sagefm.sections.section import Section, sections_of

RESOURCES = Path(__file__).parents[2] / "resources"


def bundled_sections(folder: Path, names: Sequence[str] = ("*",)) -> list[Section]:
    """Write the bundled sections whose names match the patterns to a folder."""
    panel = read_panel(RESOURCES / "panel/sagefm_genes.txt")
    sources = [path for n in names for path in sorted((RESOURCES / "demo/st").glob(f"{n}.h5ad"))]
    samples = write_samples(sources, panel, folder)
    return sections_of(samples, write_graphs(samples, folder))
