"""Linear embeddings of a spot and its neighbours; each changes one thing in the light model's."""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from sagefm.common.io import read_table
from sagefm.graphs.neighbourhoods import build_graph, others_operator
from sagefm.representations.methods.niche_channels import relative
from sagefm.sections.cohort import Cohort, cohort_obs, cohort_spatial, describe_spots
from sagefm.stats.components import varimax
from sagefm.stats.variable_genes import variable_genes

LABELS = Path("resources/demo/labels.tsv")


@dataclass(frozen=True)
class Recipe:
    """How spots are embedded. The defaults are the light model's.

    Attributes
    ----------
    scale
        Transformation of counts scaled to 10,000 per spot: `log`, `root` (square root), `counts`
        (none) or `residuals` (Pearson residuals within the section, overdispersion 100).
    scaled
        Whether each gene is divided by its standard deviation in the section after centring.
    parts
        Blocks that are concatenated: the number of nearest spots averaged (0: the spot itself), and
        the weight of the block.
    absolute
        Weight of an additional block: the spot itself, not centred.
    genes, autocorrelated
        Number of genes, and whether they are chosen by spatial autocorrelation instead of variance.
    components, power
        Number of components, and the power to which they are raised, keeping signs, after scaling
        to variance 1.
    equal
        Whether all sections have the same weight, whatever their number of spots.
    averaged
        Whether the embedding of the spot is averaged with that of its neighbours' mean.
    """

    scale: str = "log"
    scaled: bool = False
    parts: tuple[tuple[int, float], ...] = ((0, 1.0), (8, 2.0))
    absolute: float = 0.0
    genes: int = 2000
    autocorrelated: bool = False
    components: int = 20
    power: float = 1.0
    equal: bool = False
    averaged: bool = False


LIGHT = Recipe()
EVEN, HALF = ((0, 1.0), (8, 1.0)), ((0, 1.0), (8, 0.5))
RECIPES = {
    "`light`": LIGHT,
    "12 components": replace(LIGHT, components=12),
    "30 components": replace(LIGHT, components=30),
    "50 components": replace(LIGHT, components=50),
    "1,000 genes": replace(LIGHT, genes=1000),
    "4,000 genes": replace(LIGHT, genes=4000),
    "1,000 genes, by autocorrelation": replace(LIGHT, genes=1000, autocorrelated=True),
    "sections weigh the same": replace(LIGHT, equal=True),
    "neighbours weigh 1": replace(LIGHT, parts=EVEN),
    "24 neighbours": replace(LIGHT, parts=((0, 1.0), (24, 2.0))),
    "8 and 24 neighbours": replace(LIGHT, parts=((0, 1.0), (8, 2.0), (24, 2.0))),
    "embedding averaged over the ring": replace(LIGHT, averaged=True),
    "absolute level beside it": replace(LIGHT, absolute=0.5),
    "z-scores": replace(LIGHT, scaled=True),
    "z-scores of counts, neighbours weigh 0.5": replace(
        LIGHT, scale="counts", scaled=True, parts=HALF
    ),
    "square roots": replace(LIGHT, scale="root"),
    "square roots, sections weigh the same": replace(LIGHT, scale="root", equal=True),
    "Pearson residuals, neighbours weigh 1": replace(LIGHT, scale="residuals", parts=EVEN),
    "components squared": replace(LIGHT, power=2.0),
}


@dataclass(frozen=True, eq=False)
class Spots:
    """Spots of a cohort (`obs` has at least sample and spot), with cached computations."""

    cohort: Cohort
    obs: pd.DataFrame

    @cached_property
    def spatial(self) -> np.ndarray:
        """Coordinates (spots, 2) in pixels."""
        return cohort_spatial(self.cohort.samples)

    @cached_property
    def samples(self) -> np.ndarray:
        """Sample of each spot."""
        return self.obs["sample"].to_numpy(dtype=str)

    @cached_property
    def expression(self) -> sp.csr_matrix:
        """Log expression, with counts scaled to 10,000 per spot."""
        return self.cohort.expression("log1p_cp10k")

    def mean_of(self, nearest: int) -> sp.csr_matrix:
        """Return weights of the mean over each spot's nearest other spots: csr (spots, spots)."""
        if not nearest:
            return sp.identity(len(self.samples), dtype=np.float32, format="csr")
        blocks = []
        for sample in dict.fromkeys(self.samples):
            own = self.spatial[self.samples == sample]
            graph = build_graph(own, "star", size=nearest + 1)
            blocks.append(others_operator(graph.indptr, graph.ego))
        return sp.csr_matrix(sp.block_diag(blocks), dtype=np.float32)

    def values(self, genes: np.ndarray, scale: str) -> np.ndarray:
        """Return the expression of some genes (columns) on a scale: float32 (spots, genes)."""
        log = self.expression[:, genes]
        if scale == "log":
            return log.toarray()
        if scale != "residuals":
            counts = np.expm1(log.toarray())
            return np.sqrt(counts) if scale == "root" else counts
        counts = self.cohort.counts().X
        depth = np.maximum(np.asarray(counts.sum(axis=1), dtype=float), 1)
        found = counts[:, genes].toarray().astype(float)
        for sample in dict.fromkeys(self.samples):
            rows = self.samples == sample
            expected = depth[rows] * (found[rows].sum(axis=0) / depth[rows].sum())
            spread = np.sqrt(np.maximum(expected + expected**2 / 100, 1e-12))
            most = np.sqrt(rows.sum())
            found[rows] = np.clip((found[rows] - expected) / spread, -most, most)
        return found.astype(np.float32)


def read_spots(run: Path, name: str) -> Spots:
    """Read a cohort of a finished run, with the patient and label of each spot."""
    sheet = read_table(f"config/samples/{name}.tsv")
    paths = tuple(run / f"samples/{name}/{sample}.h5ad" for sample in sheet["sample"])
    rows = sheet.to_dict("records")
    return Spots(Cohort(paths), describe_spots(cohort_obs(paths), rows, LABELS))


@cache
def chosen_genes(atlas: Spots, count: int, autocorrelated: bool) -> np.ndarray:
    """Choose the columns of `count` genes; see `Recipe.genes` and `Recipe.autocorrelated`."""
    if not autocorrelated:
        return np.flatnonzero(variable_genes(atlas.expression, atlas.samples, count))
    own = relative(atlas.expression.toarray(), atlas.samples, scaled=True)
    near = atlas.mean_of(8) @ own
    sections = [atlas.samples == sample for sample in dict.fromkeys(atlas.samples)]
    shares = [(own[r] * near[r]).mean(axis=0) * np.sqrt(r.sum()) for r in sections]
    return np.sort(np.argsort(-np.sum(shares, axis=0))[:count])


def embeddings(atlas: Spots, others: list[Spots], recipe: Recipe) -> list[np.ndarray]:
    """Fit a recipe to the atlas and return the embeddings (spots, components) of each cohort."""
    genes = chosen_genes(atlas, recipe.genes, recipe.autocorrelated)

    def joined(spots: Spots) -> np.ndarray:
        values = spots.values(genes, recipe.scale)
        parts = [
            weight * relative(spots.mean_of(nearest) @ values, spots.samples, recipe.scaled)
            for nearest, weight in recipe.parts
        ]
        return np.hstack([*parts, recipe.absolute * values] if recipe.absolute else parts)

    fitted = joined(atlas)
    mean = fitted.mean(axis=0)  # 0, except for an absolute block
    sizes = pd.Series(atlas.samples).map(pd.Series(atlas.samples).value_counts()).to_numpy(float)
    weights = 1 / np.sqrt(sizes) if recipe.equal else np.ones(len(sizes))
    weighted = weights[:, None] * (fitted - mean)
    draws = np.random.default_rng(0)
    axes = svds(weighted, recipe.components, solver="propack", rng=draws)[2]
    axes = (varimax(axes) @ axes).T
    spread = ((fitted - mean) @ axes).std(axis=0)
    found = []
    for spots in others:
        values = (joined(spots) - mean) @ axes
        if recipe.power != 1:
            values = np.sign(values) * np.abs(values / spread) ** recipe.power
        if recipe.averaged:
            values = (values + spots.mean_of(8) @ values) / 2
        found.append(values.astype(np.float32))
    return found
