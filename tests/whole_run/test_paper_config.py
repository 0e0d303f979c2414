"""Config and sheets of the full reproduction: complete, and planned from nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sagefm.annotation.set_tables import read_gene_sets
from sagefm.config.schemas import load_schema, set_defaults
from sagefm.config.sheets import read_samples
from sagefm.downloads.plan import RawPlan
from sagefm.preflight.config import check_config, check_references
from sagefm.training.split import split_samples
from support import runs

CONFIG = "config/paper.yaml"
ARCHIVE = "10.5061/dryad.h70rxwdmj/10XVisium_2.zip"


@pytest.fixture
def folder(tmp_path, monkeypatch, repo) -> Path:
    """A working directory with the workflow, its config and resources, and no data."""
    folders = ("config", "resources", "workflow", "envs", "profiles")
    for name in (*folders, "Snakefile", "CITATION.cff"):
        (tmp_path / name).symlink_to(repo / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sheet_of(repo: Path, cohort: str) -> pd.DataFrame:
    """A sheet as it is written."""
    path = repo / f"config/samples/{cohort}.tsv"
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def read_config(path: str = CONFIG) -> dict:
    return yaml.safe_load(Path(path).read_text())


def check(config: dict) -> dict[str, pd.DataFrame]:
    """As the workflow does, before any job starts."""
    check_config(config)
    set_defaults(config, load_schema("config"))
    sheets = {name: read_samples(c["samples"], name) for name, c in config["cohorts"].items()}
    check_references(config, sheets)
    return sheets


@pytest.mark.parametrize("path", [CONFIG, "config/released.yaml"])
def test_it_passes_and_no_data_have_to_be_there(folder, path):
    sheets = check(read_config(path))
    assert {name: len(sheet) for name, sheet in sheets.items()} == {
        "hest": 416,
        "opscc": 12,
        "gbm": 20,
    }


# What would run


def planned(folder: Path, *arguments: str) -> tuple[dict[str, int], set[str]]:
    """Jobs of each rule in a dry run, and which modules it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "snakemake", "--dry-run", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    return runs.jobs(done.stdout + done.stderr), imported


def test_the_whole_reproduction_is_planned_from_nothing(folder, repo):
    """`make bench` measures how long that takes."""
    jobs, imported = planned(folder, "--configfile", CONFIG)
    # 416 + 12 sections, 12 positions, 12 label files, an archive, a checkpoint, its embeddings, and
    # a table of pairs.
    assert jobs["fetch"] == 416 + 12 + 12 + 12 + 1 + 1 + 1 + 1
    assert jobs["unpack"] == 2 * 20
    assert jobs["ingest"] == 416 + 12 + 20
    assert jobs["pretrain"] == 5 and jobs["released"] == 1
    assert jobs["preflight_gpu"] == jobs["label_table"] == 1
    assert {"snakemake", "pandas"} < imported
    assert not {"torch", "anndata", "scanpy", "huggingface_hub", "rdata"} & imported
    page = (repo / "docs/paper.md").read_text()
    assert f"{jobs['fetch']} raw files" in page
    assert f"about {round(jobs['total'], -2):,} jobs" in page


@pytest.mark.slow
def test_the_released_checkpoint_alone_trains_nothing_and_wants_no_gpu(folder):
    config = ["--configfile", "config/released.yaml"]
    jobs, _ = planned(folder, *config)
    assert not {"pretrain", "preflight_gpu", "recovery"} & set(jobs)
    assert {"claims_clustering", "claims_annotation", "claims_perturbation"} < set(jobs)
    # Claims 3 to 5 fetch no section of HEST-1k.
    jobs, _ = planned(folder, "claims_clustering", "claims_annotation", *config)
    assert jobs["fetch"] == 12 + 12 + 12 + 1 + 1
    assert jobs["ingest"] == 12 + 20


def test_it_is_the_papers_config_as_far_as_it_goes(folder):
    whole, part = read_config(), read_config("config/released.yaml")
    assert part["models"]["released"].items() <= whole["models"]["released"].items()
    assert whole["models"]["released"].pop("compute") == {"gpus": 1, "workers": 8, "keep_gb": 48}
    whole["representations"].pop("untrained_networks")  # of the models that are trained
    for chapter in ("cohorts", "tasks", "clustering", "split", "representations"):
        assert part[chapter] == whole[chapter], chapter
    assert part["perturbation"]["pairs"] == whole["perturbation"]["pairs"]


def test_the_released_checkpoint_is_the_one_of_the_paper(folder):
    address = read_config()["models"]["released"]["released"]["git_lfs"]
    repository, path = address.split("/Pre-trained Model/")
    assert re.fullmatch(r"dayenai/SAGE-FM@15fe51f[0-9a-f]{33}", repository)
    assert path.startswith("HEST1k_epoch_126_hidden_1024_512_512_512_1024_")
    assert RawPlan("data").path("git_lfs", address).endswith(".pt")


def test_the_first_model_is_trained_as_released(folder):
    config = read_config()
    set_defaults(config, load_schema("config"))
    name, paper = next(iter(config["models"].items()))
    training = paper["training"]
    assert (name, paper["normalisation"], paper["network"]) == ("paper", "log1p", "gcn")
    assert training["order"] == training["validation"] == "as_released"
    assert all("hest" in model["pretrain_on"] for model in config["models"].values())
    assert all(model["compute"]["gpus"] == 1 for model in config["models"].values())


def test_the_416_are_those_of_the_paper(repo):
    sheet = sheet_of(repo, "hest")
    assert sheet["sample"].nunique() == len(sheet) == 416
    assert sheet["organ"].nunique() == 16
    assert sheet["expected_spots"].astype(int).sum() == 981_074
    assert (sheet["expected_genes"].astype(int) >= 5000).all()
    assert (sheet["patient"] == "").sum() == 297
    assert (sheet["patient"] == sheet["patient"].str.strip()).all()
    assert (sheet["dataset"] != "").all()
    assert (sheet["source"] == "hest").all()
    assert (sheet["path_or_id"] == sheet["sample"]).all()


def test_opscc_files_are_named_as_at_geo(repo):
    sheet = sheet_of(repo, "opscc")
    for i, row in enumerate(sheet.to_dict("records")):
        stem = f"GSM{6339631 + i}/GSM{6339631 + i}_s{i + 1}_"
        assert row["sample"] == f"s{i + 1}"
        assert row["path_or_id"] == f"{stem}filtered_feature_bc_matrix.h5"
        assert row["positions"] == f"{stem}tissue_positions_list.csv.gz"


def test_every_oral_section_has_its_labels_in_both_forms(repo):
    samples = sheet_of(repo, "opscc")["sample"]
    objects, codes = sheet_of(repo, "opscc_labels"), sheet_of(repo, "opscc_label_codes")
    assert (objects["sample"] == samples).all() and (codes["sample"] == samples).all()
    for i in range(12):
        assert objects["path_or_id"][i] == f"20304456/sample_{i + 1}.Robj"
        assert codes["path_or_id"][i].endswith(f"/pattern_patho_label_{i + 1}.rds")
    assert codes["path_or_id"].str.contains("/hjm2217/ZI-HGT/6a420973").all()


def test_gbm_has_tumour_sections_only_and_their_patients(repo):
    sheet = sheet_of(repo, "gbm")
    for row in sheet.to_dict("records"):
        assert re.fullmatch(r"UKF\d{3}_(IDHMutant_)?T[CI]?", row["sample"])
        assert row["patient"] == row["sample"][:6]
        outs = f"{ARCHIVE}::#{row['sample']}_ST/outs"
        assert row["path_or_id"] == f"{outs}/filtered_feature_bc_matrix.h5"
        assert row["positions"] == f"{outs}/spatial/tissue_positions_list.csv"
    assert sheet["sample"].nunique() == 20
    assert sheet["patient"].nunique() == 19
    cortex = sheet_of(repo, "gbm_cortex")
    assert len(cortex) == 8 and cortex["sample"].str.fullmatch(r"UKF\d{3}_C").all()
    assert list(cortex.columns) == list(sheet.columns)


def duplicates_of(repo: Path) -> pd.DataFrame:
    return pd.read_csv(repo / "config/samples/hest_duplicates.tsv", sep="\t", dtype=str)


def test_duplicates_are_as_large_as_what_they_duplicate(repo):
    facts = sheet_of(repo, "hest").set_index("sample")
    facts = facts[["organ", "technology", "expected_spots", "expected_genes"]]
    for row in duplicates_of(repo).to_dict("records"):
        assert row["sample"] != row["duplicate_of"]
        assert (facts.loc[row["sample"]] == facts.loc[row["duplicate_of"]]).all()


def test_duplicates_end_on_one_side_of_the_split(repo):
    samples, duplicates = sheet_of(repo, "hest").assign(cohort="hest"), duplicates_of(repo)

    def apart(table: pd.DataFrame | None, seed: int) -> int:
        part = split_samples(samples, seed=seed, duplicates=table).set_index("sample")["part"]
        return sum(part[a] != part[b] for a, b in duplicates.iloc[:, :2].to_numpy())

    seeds = (9001, 0, 1, 2)
    assert [apart(duplicates, seed) for seed in seeds] == [0, 0, 0, 0]
    assert sum(apart(None, seed) for seed in seeds) > 0


def test_patients_of_one_name_in_two_data_sets_are_two(repo):
    split = split_samples(sheet_of(repo, "hest").assign(cohort="hest"))
    groups = split.loc[split["patient"] == "Patient 1", "group"]
    assert groups.nunique() > 1


def test_the_subtypes_are_sets_of_the_table(folder):
    task = read_config()["tasks"]["gbm"]
    sets = set(read_gene_sets(task["labels"]["gene_sets"]))
    merged = {old for olds in task["merge"].values() for old in olds}
    assert merged <= sets
    assert sets - merged | set(task["merge"]) == {"AC", "MES", "NPC", "OPC"}
