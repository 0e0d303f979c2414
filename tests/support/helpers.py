"""The bundled sections, also rewritten in the other formats that the readers know."""

import re
from pathlib import Path

import anndata

from bench.section_files import (
    gene_ids,
    write_bytes,
    write_mtx,
    write_positions,
    write_r_labels,
    write_spaceranger,
    write_tenx_h5,
)

__all__ = [
    "demo_section",
    "gene_ids",
    "install_examples",
    "write_bytes",
    "write_mtx",
    "write_positions",
    "write_r_labels",
    "write_spaceranger",
    "write_tenx_h5",
]

REPO = Path(__file__).resolve().parents[2]
QC = {"in_tissue": True, "min_counts": 1, "min_genes": 1, "max_mito_share": 1.0, "min_spots": 15}
HARMONISE = {"duplicates": "first", "min_overlap": 0.5, "aliases": None}


def demo_section(sample: str = "heart-1") -> anndata.AnnData:
    """Read a bundled section as it is in its file."""
    return anndata.read_h5ad(REPO / f"resources/demo/st/{sample}.h5ad")


def install_examples(folder: Path) -> list[str]:
    """Write the files shown in docs/extending.md to a folder for `SAGEFM_PATH`; return names."""
    text = (REPO / "docs/extending.md").read_text()
    examples = re.findall(r"```python\n# (\S+)\n(.*?)```", text, flags=re.DOTALL)
    for name, content in examples:
        write_bytes(folder / name, content.encode())
    return [name for name, _ in examples]
