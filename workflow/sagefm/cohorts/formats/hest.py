"""A section of HEST-1k: an AnnData file."""

from pathlib import Path

from sagefm.cohorts.formats.h5ad import CHOICES, IMAGES, files, positions, read

__all__ = ["CHOICES", "IMAGES", "files", "positions", "read"]

HELP = "a HEST-1k `st/{id}.h5ad`"

POSITIONS = "in the file"

EXAMPLES = {"a section of HEST-1k": {"source": "hest", "path_or_id": "TENX152"}}


def fits(path: Path) -> bool:
    """Return False: by its name the file is an `h5ad`, and is read as one."""
    return False
