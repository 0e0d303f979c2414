"""The paper's three cohorts, from their published files to a trained model, through faults."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from itertools import pairwise
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import yaml

from bench.stand_in_answers import DRYAD_TOKEN, LFS_TOKEN, TOKEN
from bench.stand_ins import Fault, Services, serving
from sagefm.common.io import read_table
from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import load_network, save_checkpoint
from sagefm.representations.files import read_representation
from support import helpers, runs, small

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SECTIONS = {
    "hest": ["heart-1", "SPA141", "SPA147"],
    "opscc": ["SPA142", "SPA148"],
    "gbm": ["SPA153", "SPA154"],
}
"""Bundled sections that stand in for the first of each cohort's sheet."""
CLASSES = {
    "invasive cancer": "SCC",
    "connective tissue": "Lymphocyte Negative Stroma",
    "breast glands": "Glandular Stroma",
    "adipose tissue": "Fold",
    "undetermined": "Artifact",
}
"""What those two are labelled with, by the pathologist's classes of the bundled sections."""
COLLECTRI = "records/8192729/files/CollecTRI_regulons.csv"
DUPLICATES = "config/samples/hest_duplicates.tsv"
SECRETS = (TOKEN, DRYAD_TOKEN, LFS_TOKEN, "NobodyMaySee", "Signature=")
LABELS = "results/small/cohorts/opscc/labels.tsv.gz"
WANTED = [f"results/small/models/{model}/best.pt" for model in ("paper", "released")]


def section(cohort: str, index: int) -> anndata.AnnData:
    """The section that stands in for one of a cohort's."""
    found = helpers.demo_section(SECTIONS[cohort][index])
    found.obs_names = [f"{name}-1" for name in found.obs_names]
    return found


def labels(index: int) -> pd.Series:
    """Those of one of the labelled cohort's sections; R's merge has numbered its barcodes."""
    table = read_table(runs.REPO / "resources/demo/labels.tsv", dtype=str)
    own = table[table["sample"] == SECTIONS["opscc"][index]]
    found = own["label"].map(CLASSES).rename("pathologist_anno.x")
    return found.set_axis(own["spot"] + f"-{index + 1}")


def cut_sheet(folder: Path, name: str, rows: int) -> pd.DataFrame:
    """The first rows of a sheet of the paper's, as the config of the run finds them."""
    path = f"config/samples/{name}.tsv"
    sheet = pd.read_csv(runs.REPO / path, sep="\t", dtype=str, keep_default_na=False).head(rows)
    if "expected_spots" in sheet:
        shapes = [section(name, i).shape for i in range(rows)]
        sheet[["expected_spots", "expected_genes"]] = shapes
    sheet.to_csv(folder / path, sep="\t", index=False)
    return sheet


def publish(
    services: Services, folder: Path, sheets: dict[str, pd.DataFrame], panel: list[str], lfs: str
) -> None:
    """Put all that is fetched where sheets and configs say that it is, as it is there."""
    made = folder / "made"
    for i, row in enumerate(sheets["hest"].to_dict("records")):
        content = (runs.REPO / f"resources/demo/st/{SECTIONS['hest'][i]}.h5ad").read_bytes()
        services.files["hub", f"st/{row['path_or_id']}.h5ad"] = content
    for i, row in enumerate(sheets["opscc"].to_dict("records")):
        counts = helpers.write_tenx_h5(section("opscc", i), made / f"{i}.h5")
        places = helpers.write_positions(section("opscc", i), made / f"{i}.csv.gz", header=False)
        services.files["geo", row["path_or_id"]] = counts.read_bytes()
        services.files["geo", row["positions"]] = places.read_bytes()
    for i, address in enumerate(sheets["opscc_labels"]["path_or_id"]):
        written = helpers.write_r_labels(labels(i), made / f"{i}.Robj")
        services.files["figshare", address] = written.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i, row in enumerate(sheets["gbm"].to_dict("records")):
            outs = helpers.write_spaceranger(section("gbm", i), made / f"outs{i}", header=False)
            for column, file in {
                "path_or_id": "filtered_feature_bc_matrix.h5",
                "positions": "spatial/tissue_positions_list.csv",
            }.items():
                outer, member = row[column].split("::")
                archive.write(outs / file, f"10XVisium 2/{member}")
    services.files["dryad", outer] = packed.getvalue()
    network = build_network("gcn", len(panel), tuple(runs.WIDTHS), seed=1)
    save_checkpoint(folder / "release.pt", network)
    services.files["git", lfs.replace("@", "/")] = (folder / "release.pt").read_bytes()
    genes = small.patch(genes=40).var_names.intersection(panel)
    pairs = [f"{one},{other},1" for one, other in pairwise(genes)]
    content = "\n".join(["source,target,weight", *pairs, ""]).encode()
    services.files["web", COLLECTRI] = content


def write_config(folder: Path) -> str:
    """The paper's cohorts and first two models, narrow; the address of its checkpoint."""
    paper = yaml.safe_load((runs.REPO / "config/paper.yaml").read_text())
    models = {name: paper["models"][name] for name in ("paper", "released")}
    models["paper"] |= {"widths": runs.WIDTHS, "compute": {"device": "cpu"}}
    models["paper"]["training"]["epochs"] = 2
    models["released"].pop("compute")
    models["released"]["released"].pop("sha256")  # of the real one
    config = {"run": "small", "cohorts": paper["cohorts"], "models": models}
    config |= {name: paper[name] for name in ("downloads", "graphs")}
    runs.write_config(folder, config)
    return models["released"]["released"]["git_lfs"]


@pytest.fixture(scope="module")
def published(tmp_path_factory, panel):
    """A prepared folder, and the services that have what its sheets name."""
    folder = runs.prepare(tmp_path_factory.mktemp("published") / "run")
    (folder / "config/samples").mkdir()
    shutil.copy(runs.REPO / DUPLICATES, folder / DUPLICATES)
    sheets = {name: cut_sheet(folder, name, len(found)) for name, found in SECTIONS.items()}
    sheets["opscc_labels"] = cut_sheet(folder, "opscc_labels", len(sheets["opscc"]))
    address = write_config(folder)
    with serving() as services, pytest.MonkeyPatch.context() as patch:
        for name, value in services.environment().items():
            patch.setenv(name, value)
        publish(services, folder, sheets, panel, address)
        yield folder, services, sheets


def killed_in_mid_download(folder: Path, services: Services, part: str, least: int) -> None:
    """Start Snakemake, and kill it and its jobs when so many bytes of a file have come."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *WANTED]
    with (folder / "killed.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + 200
    while not any(path.stat().st_size >= least for path in folder.glob(part)):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def fetched(folder: Path) -> set[str]:
    """Raw files that stand under their names."""
    files = (path for path in (folder / "data").rglob("*") if path.is_file())
    names = {str(path.relative_to(folder / "data")) for path in files}
    return {name for name in names if not any(p.startswith(".") for p in name.split("/"))}


def samples_of(sheets: dict[str, pd.DataFrame]) -> list[str]:
    """The harmonised sections of all cohorts."""
    return [
        f"results/small/samples/{cohort}/{sample}.h5ad"
        for cohort in SECTIONS
        for sample in sheets[cohort]["sample"]
    ]


def test_from_the_services_to_a_trained_model_through_faults(published, panel):
    folder, services, sheets = published
    ids = [*sheets["hest"]["path_or_id"]]
    content = services.files["hub", f"st/{ids[1]}.h5ad"]
    services.faults |= {
        f"/cdn/x/st/{ids[0]}.h5ad": Fault(429, headers={"Retry-After": "1"}),
        f"/cdn/x/st/{ids[1]}.h5ad": Fault(pause=0.5),
        f"/cdn/x/st/{ids[2]}.h5ad": Fault(drop_after=100_000),
    }
    killed_in_mid_download(folder, services, f"data/hest/st/.part.{ids[1]}.h5ad", 131_072)
    there = fetched(folder)
    assert f"hest/st/{ids[1]}.h5ad" not in there
    services.asked.clear()

    assert runs.snakemake(folder, "--unlock").returncode == 0
    wanted = [*WANTED, LABELS, *samples_of(sheets)]
    done = runs.snakemake(folder, *wanted)
    assert done.returncode == 0, done.stdout
    assert not services.faults  # each has been met
    # Nothing that was whole when all was killed was asked for again, and the file that was not
    # went on where it was.
    asked = {path for path, _ in services.asked}
    assert not asked & {f"/cdn/x/{name.removeprefix('hest/')}" for name in there}
    (resumed,) = services.ranges_asked(f"/cdn/x/st/{ids[1]}.h5ad")
    assert 100_000 < int(resumed.removeprefix("bytes=").rstrip("-")) < len(content)
    downloads = [path for path, _ in services.asked if path.endswith("/download")]
    assert len(downloads) == ("dryad" not in {name.split("/")[0] for name in there})

    # 3 sections, 2 and their positions and labels, an archive and 4 of its files, a checkpoint.
    whole = fetched(folder)
    assert len([name for name in whole if ".contents" not in name]) == 3 + 6 + 1 + 1
    assert len(whole) == 11 + 4
    assert not list((folder / "data").rglob(".part.*"))
    rows = read_table(folder / "config/downloads.lock.tsv", dtype=str)
    assert rows["sha256"].notna().sum() == 11

    for path in WANTED:
        load_network(folder / path, "gcn", len(panel))
    for cohort, names in SECTIONS.items():
        for i, sample in enumerate(sheets[cohort]["sample"]):
            found = anndata.read_h5ad(folder / f"results/small/samples/{cohort}/{sample}.h5ad")
            assert 50 < found.n_obs <= section(cohort, i).n_obs, names[i]
            assert found.n_vars == len(panel)
    found = read_table(folder / LABELS, dtype=str)
    assert set(found.loc[found["sample"] == "s2", "label"]) == set(CLASSES.values())

    services.asked.clear()
    assert "Nothing to be done" in runs.snakemake(folder, *wanted).stdout
    assert not services.asked
    # No token, nor any signature of an address, in a log, result, benchmark or lock table.
    texts = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(texts) > 100
    for path in texts:
        if folder / "workflow" not in path.parents:
            held = path.read_bytes()
            assert not [secret for secret in SECRETS if secret.encode() in held], path
    for secret in SECRETS:
        assert secret not in done.stdout


GPUS_ASKED = """
onsuccess:
    import json
    jobs = (job for job in workflow.dag.jobs if "gpu" in job.rule.resources)
    Path("gpus.json").write_text(json.dumps({job.name: job.resources["gpu"] for job in jobs}))
"""
"""Writes down how many GPUs the jobs of each rule asked for that may ask for some."""


def write_released_config(folder: Path, services: Services) -> None:
    """`config/released.yaml`, but for the address of a table, and less of everything."""
    config = yaml.safe_load((runs.REPO / "config/released.yaml").read_text())
    config["models"]["released"]["released"].pop("sha256")  # of the real one
    methods = ("pca", "neighbour_mean", "mofa")
    config["representations"]["methods"] = {name: runs.METHODS[name] for name in methods}
    config["clustering"] |= {"seeds": 2, "resolutions": [0.5, 1.0], "components": 3}
    for task in config["tasks"].values():
        task |= {"classifiers": ["logistic"], "repeats": 1}
    perturbation = config["perturbation"]
    perturbation |= {"spots": 20, "levels": 3, "controls": 3, "min_detected": 0.4}
    perturbation["pairs"]["collectri"]["url"] = f"{services.url}/web/{COLLECTRI}"
    config["conformance"]["embeddings"].pop("sha256")
    (folder / "config/released.yaml").write_text(yaml.safe_dump(config))


REPRESENTATION = "results/released/representations/hest/all-genes/sagefm-released.h5ad"
WRONG = 3


def publish_embeddings(folder: Path, services: Services) -> list[str]:
    """The authors' file: two sections in another order, three rows wrong; returns the sections."""
    config = yaml.safe_load((folder / "config/released.yaml").read_text())
    found = read_representation(folder / REPRESENTATION)
    names = [*found.obs["sample"].unique()][:2][::-1]
    own = {name: (found.obs["sample"] == name).to_numpy() for name in names}
    rows = np.concatenate([found.values[own[name]] for name in names])
    rows[[5, 6, -1]] += 1
    content = io.BytesIO()
    np.save(content, rows)
    address = config["conformance"]["embeddings"]["git_lfs"]
    services.files["git", address.replace("@", "/")] = content.getvalue()
    return names


def test_the_released_checkpoint_answers_claims_3_to_6_with_no_training_and_no_gpu(published):
    folder, services, sheets = published
    assert runs.snakemake(folder, *WANTED, LABELS, *samples_of(sheets)).returncode == 0
    write_released_config(folder, services)
    with (folder / "Snakefile").open("a") as file:
        file.write(GPUS_ASKED)
    given = ("--configfile", "config/released.yaml")
    embedded = runs.snakemake(folder, REPRESENTATION, *given)
    assert embedded.returncode == 0
    assert {"released", "embed"} <= set(runs.jobs(embedded.stdout))
    names = publish_embeddings(folder, services)
    services.asked.clear()
    board = "results/released/scoreboard.tsv"
    done = runs.snakemake(folder, board, *given)
    assert done.returncode == 0, done.stdout
    jobs = runs.jobs(done.stdout)
    assert {"embed", "perturb"} < set(jobs)
    assert not {"released", "pretrain", "preflight_gpu", "unpack"} & set(jobs)
    gpus = json.loads((folder / "gpus.json").read_text())
    assert {"embed", "perturb"} <= set(gpus) and not any(gpus.values())
    asked = {path for path, _ in services.asked if not path.startswith(("/raw", "/github", "/lfs"))}
    assert asked - {"/"} == {f"/web/{COLLECTRI}"}  # all else was there; / asks whether one answers
    # The pointer is read by the checks before the run and by the fetch, the file fetched once.
    assert len(services.paths("subgraph_embedding.npy")) == 2
    assert len([path for path, _ in services.asked if path.startswith("/lfs/")]) == 1

    claims = read_table(folder / board, dtype=str).set_index("claim")
    assert set(claims.index[claims["verdict"] != "not computed"].str[0]) >= set("3456")
    answered = claims[claims.index.str.match("[3-6]")]
    assert len(answered) == 4
    for claim in answered.itertuples():
        assert re.search(r"\d", claim.obtained) and "nan" not in claim.obtained
        assert (folder / "results/released" / claim.evidence).exists()

    held = read_table(folder / "results/released/conformance/released/hest/sections.tsv")
    assert [*held["sample"]] == names and (held["share_held"] == 1).all()
    assert held["matched"].sum() == held["rows"].sum() - WRONG
    (own,) = claims[claims.index.str.startswith("Released embeddings")].itertuples()
    assert own.verdict in ("supported", "inconclusive") and "of 2 sections" in own.n
