"""Train Novae on sections and write its representations; runs in an environment of its own.

Sections are harmonised samples of a run (`results/RUN/samples`), in files named like them. With
`--model`, a pretrained model embeds them, named as on the Hugging Face hub or by its folder.
Without, one is trained on them. The output is a matrix for `representations.methods` (see
config/novae.yaml).
"""

import argparse
from pathlib import Path

import anndata
import lightning
import novae
import numpy as np
import pandas as pd
import torch
from scipy.spatial import cKDTree

LATENT = "novae_latent"
"""Key of the representations in `obsm`, as Novae names it."""


def read_section(path: Path, spacing: float, neighbours: int) -> anndata.AnnData:
    """Read a section with its graph, and coordinates in micrometres, as Novae expects."""
    section = anndata.read_h5ad(path)
    places = np.asarray(section.obsm["spatial"], dtype=float)
    nearest = np.median(cKDTree(places).query(places, k=2)[0][:, 1])
    section.obsm["spatial"] = places * spacing / nearest
    novae.spatial_neighbors(section, coord_type="grid", delaunay=False, n_neighs=neighbours)
    return section


def represented(
    by_sample: dict[str, anndata.AnnData], model: str | None, seed: int
) -> anndata.AnnData:
    """Represent all spots: `LATENT` in `obsm`, and columns sample and spot in `obs`.

    A new model is trained with Novae's defaults. Spots outside the graph have zeros.
    """
    sections = [*by_sample.values()]
    lightning.seed_everything(seed)
    if model:
        network = novae.Novae.from_pretrained(model)
    else:
        network = novae.Novae(sections)
        network.fit(enable_progress_bar=False)
    network.compute_representations(sections, zero_shot=bool(model))
    names = [
        pd.DataFrame({"sample": sample, "spot": section.obs_names})
        for sample, section in by_sample.items()
    ]
    values = np.concatenate([section.obsm[LATENT] for section in sections])
    obs = pd.concat(names, ignore_index=True)
    return anndata.AnnData(
        obs=obs.set_index(obs["sample"] + ":" + obs["spot"]),
        obsm={LATENT: np.nan_to_num(values).astype(np.float32)},
    )


def main() -> None:
    """Read the sections, represent their spots, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="h5ad to write")
    parser.add_argument("sections", type=Path, nargs="+", help="harmonised samples, h5ad")
    parser.add_argument("--model", help="a pretrained model, such as prism-oncology/novae-human-0")
    parser.add_argument("--spacing", type=float, default=200, help="micrometres between spots")
    parser.add_argument("--neighbours", type=int, default=4, help="4, or 6 on a hexagonal array")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    sections = {
        path.stem: read_section(path, options.spacing, options.neighbours)
        for path in sorted(options.sections)
    }
    found = represented(sections, options.model, options.seed)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    found.write_h5ad(options.output)


if __name__ == "__main__":
    main()
