"""How representations are called in figures and claims; tables and files have their own names."""

NAMES = {
    "raw": "raw expression",
    "pca": "PCA",
    "neighbour_mean": "neighbour mean",
    "mofa": "MOFA",
    "banksy": "BANKSY",
    "graphst": "GraphST",
}


def representation_name(name: str) -> str:
    """A representation's name for people: `PCA`, `neighbour mean`, `sagefm-paper`."""
    return name if name.startswith("sagefm-") else NAMES.get(name, name.replace("_", " "))
