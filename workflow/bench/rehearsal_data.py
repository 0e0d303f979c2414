"""Input of the rehearsal of the full run: smaller versions of the paper's sheets, and services.

Sections are generated (see `generated`) in the formats that the services provide: HEST's h5ad,
Space Ranger's files as they are and in an archive, labels in R's files. There are also a checkpoint
of random weights, embeddings computed with it, and a table of pairs.
"""

import shutil
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import yaml

from bench.cohort_files import chosen_rows, write_graphs, write_samples, write_sources
from bench.dry_run import CONFIG, LINKED, REPO
from bench.section_files import write_positions, write_r_labels, write_tenx_h5
from bench.stand_in_answers import sha256
from bench.stand_ins import Services
from sagefm.common.texts import read_text
from sagefm.config.run import UNKNOWN_SPOTS
from sagefm.networks.base import WIDTHS, build_network
from sagefm.networks.checkpoint import save_checkpoint
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import ModelRecipe
from sagefm.representations.embedding import write_embedding
from sagefm.representations.files import read_representation
from sagefm.sections.batch import CPU
from sagefm.sections.cohort import Cohort
from sagefm.sections.genes import read_panel

OVERLAY, OWN = "config/rehearsal.yaml", "config/rehearsal_services.yaml"
"""Configs merged into the paper's: the rehearsal's, then the stand-ins' addresses and checksums."""

FEWEST_SPOTS = 40
"""Minimum number of spots in a section, so that quality control keeps it and each class has a
spot."""

FEWEST_SECTIONS = 4
"""Minimum number of sections in a cohort, so that patients can be held out."""

GENES, COUNTS = 18_085, 10_000
"""Genes if a sheet does not say, and median counts per spot (our assumption for Visium)."""

CLASSES = ("SCC", "Lymphocyte Negative Stroma", "Glandular Stroma", "Fold", "Artifact")
"""Labels of the labelled cohort, in bands across each section. The last two are dropped."""

PAIRS = "records/8192729/files/CollecTRI_regulons.csv"
PAIRED_GENES = 60


def smaller_sheet(name: str, sections: int, share: float) -> pd.DataFrame:
    """Reduce a sheet of the paper to fewer sections, each with a share of its spots.

    Parameters
    ----------
    name
        Name of the sheet: `hest`, `opscc` or `gbm`.
    sections
        Number of sections of `hest`, evenly spaced by size. The other cohorts keep the same share
        of their sections, their first rows, but at least `FEWEST_SECTIONS`.
    share
        Share of the spots. A section keeps at least `FEWEST_SPOTS`.
    """
    sheet = _read(name)
    if "expected_spots" in sheet:
        sheet = sheet.astype({"expected_spots": int})
        sheet = chosen_rows(sheet, sections) if sections < len(sheet) else sheet
    else:
        whole = len(_read("hest"))
        sheet = sheet.head(max(round(len(sheet) * sections / whole), FEWEST_SECTIONS))
        sheet = sheet.assign(expected_spots=UNKNOWN_SPOTS, expected_genes=GENES)
    spots = (sheet["expected_spots"] * share).round().astype(int).clip(lower=FEWEST_SPOTS)
    return sheet.assign(expected_spots=spots)


def prepare(folder: Path, services: Services, sections: int, share: float) -> None:
    """Make a working directory of the rehearsal and publish the files that its config names."""
    for name in LINKED:
        if name != "config":
            (folder / name).symlink_to(REPO / name)
    shutil.copytree(REPO / "config", folder / "config")
    sheets = {name: smaller_sheet(name, sections, share) for name in ("hest", "opscc", "gbm")}
    labels = _read("opscc_labels")
    sheets["opscc_labels"] = labels[labels["sample"].isin(sheets["opscc"]["sample"])]
    for name, sheet in sheets.items():
        sheet.to_csv(folder / f"config/samples/{name}.tsv", sep="\t", index=False)
    made = folder / "made"
    _publish_hest(services, sheets["hest"], made)
    _publish_opscc(services, sheets["opscc"], sheets["opscc_labels"], made)
    _publish_gbm(services, sheets["gbm"], made)
    config = yaml.safe_load(read_text(REPO / CONFIG))
    own = _publish_release(services, config, sheets["hest"], made)
    services.files["web", PAIRS] = _pairs()
    own["perturbation"] = {"pairs": {"collectri": {"url": f"{services.url}/web/{PAIRS}"}}}
    (folder / OWN).write_text(yaml.safe_dump(own))
    shutil.rmtree(made)


def _read(name: str) -> pd.DataFrame:
    path = REPO / f"config/samples/{name}.tsv"
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def _panel() -> list[str]:
    return read_panel(REPO / "resources/panel/sagefm_genes.txt")


def _bundled() -> list[Path]:
    return sorted((REPO / "resources/demo/st").glob("*.h5ad"))


def _generated(sheet: pd.DataFrame, folder: Path) -> list[Path]:
    return write_sources(sheet, _bundled(), _panel(), COUNTS, folder)


def _publish_hest(services: Services, sheet: pd.DataFrame, made: Path) -> None:
    for row, path in zip(sheet.itertuples(), _generated(sheet, made / "hest"), strict=True):
        services.files["hub", f"st/{row.path_or_id}.h5ad"] = path.read_bytes()


def _publish_opscc(
    services: Services, sheet: pd.DataFrame, labels: pd.DataFrame, made: Path
) -> None:
    addresses = labels.set_index("sample")["path_or_id"]
    paths = _generated(sheet, made / "opscc")
    for number, (row, path) in enumerate(zip(sheet.itertuples(), paths, strict=True)):
        section = anndata.read_h5ad(path)
        counts = write_tenx_h5(section, made / "counts.h5")
        places = write_positions(section, made / "positions.csv.gz", header=False)
        services.files["geo", row.path_or_id] = counts.read_bytes()
        services.files["geo", row.positions] = places.read_bytes()
        saved = write_r_labels(_labels(section, number), made / "labels.Robj")
        services.files["figshare", addresses[row.sample]] = saved.read_bytes()


def _labels(section: anndata.AnnData, number: int) -> pd.Series:
    """Return labels in bands across a section; barcodes are numbered by section as by R's merge."""
    across = section.obsm["spatial"][:, 0].argsort().argsort() * len(CLASSES) // section.n_obs
    barcodes = section.obs_names.str.replace(r"-\d+$", f"-{number + 1}", regex=True)
    return pd.Series(np.array(CLASSES)[across], barcodes, name="pathologist_anno.x")


def _publish_gbm(services: Services, sheet: pd.DataFrame, made: Path) -> None:
    archives = {address.split("::")[0] for address in sheet["path_or_id"]}
    (address,) = archives
    with zipfile.ZipFile(made / "gbm.zip", "w") as archive:
        for row, path in zip(sheet.itertuples(), _generated(sheet, made / "gbm"), strict=True):
            section = anndata.read_h5ad(path)
            counts = write_tenx_h5(section, made / "counts.h5")
            places = write_positions(section, made / "positions.csv", header=False)
            archive.write(counts, f"10XVisium 2/{row.path_or_id.split('::')[1]}")
            archive.write(places, f"10XVisium 2/{row.positions.split('::')[1]}")
    services.files["dryad", address] = (made / "gbm.zip").read_bytes()


def _publish_release(
    services: Services, config: Mapping, sheet: pd.DataFrame, made: Path
) -> dict[str, dict]:
    """Publish a checkpoint and its embeddings of the smallest section; return their checksums."""
    panel = _panel()
    network = build_network("gcn", len(panel), WIDTHS, seed=1)
    save_checkpoint(made / "release.pt", network)
    smallest = sheet.nsmallest(1, "expected_spots")["sample"].item()
    samples = write_samples([made / f"hest/{smallest}.h5ad"], panel, made)
    cohort = Cohort(tuple(samples), tuple(write_graphs(samples, made)))
    model = FittedModel(network, ModelRecipe(panel), CPU)
    write_embedding(made / "embedding.h5ad", "released", cohort, model, fitted_here=False)
    np.save(made / "embeddings.npy", read_representation(made / "embedding.h5ad").values)
    release, embeddings = config["models"]["released"]["released"], config["conformance"]
    named = {"release.pt": release, "embeddings.npy": embeddings["embeddings"]}
    for name, entry in named.items():
        content = (made / name).read_bytes()
        services.files["git", entry["git_lfs"].replace("@", "/")] = content
        entry["sha256"] = sha256(content)
    return {
        "models": {"released": {"released": {"sha256": release["sha256"]}}},
        "conformance": {"embeddings": {"sha256": embeddings["embeddings"]["sha256"]}},
    }


def _pairs() -> bytes:
    """Return a table of pairs of adjacent genes among a bundled section's most abundant genes."""
    section = anndata.read_h5ad(_bundled()[0])
    section = section[:, section.var_names.isin(_panel())]
    order = np.argsort(-np.asarray(section.X.sum(axis=0)).ravel(), kind="stable")
    genes = section.var_names[order[:PAIRED_GENES]]
    lines = [f"{one},{other},1" for one, other in pairwise(genes)]
    return "\n".join(["source,target,weight", *lines, ""]).encode()
