"""Measure disk use of the bundled sections and the demo: the constants of `preflight.disk`.

Run it after `make demo`. Every line printed is a constant of that module.
"""

from pathlib import Path

import h5py

from sagefm.networks.registry import describe
from sagefm.preflight.disk import folder_size

REPOSITORY = Path(__file__).parents[2]
DEMO = REPOSITORY / "results/demo"
SCREEN = DEMO / "screen/paper/breast/screen.h5ad"
PAPER = {"network": "gcn", "widths": [1024, 512, 512, 512, 1024]}
JUDGED = ("recovery", "clustering", "tasks", "perturbation", "figures")


def counts(paths: list[Path]) -> tuple[int, int, int]:
    """Return the numbers of spots, counts and stored entries (zeros included) of some sections."""
    spots = stored = entries = 0
    for path in paths:
        with h5py.File(path) as file:
            shape = file["X"].attrs["shape"]
            stored += len(file["X/data"])
        spots, entries = spots + int(shape[0]), entries + int(shape[0]) * int(shape[1])
    return spots, stored, entries


def main() -> None:
    """Print each constant."""
    raw = counts(sorted((REPOSITORY / "resources/demo/st").glob("*.h5ad")))
    samples = sorted((DEMO / "samples").rglob("*.h5ad"))
    spots, stored, entries = counts(samples)
    print(f"DETECTED {raw[1] / raw[2]:.3f}")
    print(f"PANEL_DETECTED {stored / entries:.3f}")
    print(f"SAMPLE_BYTES {sum(path.stat().st_size for path in samples) / stored:.2f}")
    graphs = folder_size(DEMO / "graphs")
    print(f"NEIGHBOUR_BYTES {graphs / (spots * (15 + 9)):.2f}")
    checkpoint = (DEMO / "models/paper/best.pt").stat().st_size
    n_genes = len((REPOSITORY / "resources/panel/sagefm_genes.txt").read_text().split())
    trained = describe(PAPER["network"]).parameters(n_genes, PAPER["widths"])
    print(f"PARAMETER_BYTES {checkpoint / trained:.2f}")
    represented = DEMO / "representations/breast/all-genes/sagefm-paper.h5ad"
    judged = counts(sorted((DEMO / "samples/breast").glob("*.h5ad")))[0]
    print(f"REPRESENTED_BYTES {represented.stat().st_size / judged - 4 * 1024:.0f}")
    with h5py.File(SCREEN) as file:
        responses = file["X"].size
    print(f"SCREEN_BYTES {SCREEN.stat().st_size / responses:.2f}")
    tables = sum(folder_size(DEMO / name) for name in JUDGED)
    print(f"TABLE_BYTES {(tables + (DEMO / 'report.zip').stat().st_size) / judged:.0f}")


if __name__ == "__main__":
    main()
