"""The full reproduction's config and sheets: whole, and clear about what the user has to fetch."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from snakemake.utils import validate

from sagefm.errors import InputError
from sagefm.module_scores import read_gene_sets
from sagefm.sheets import SCHEMAS, check_config, check_references, read_samples
from sagefm.split import split_samples

CONFIG = "config/paper.yaml"


@pytest.fixture
def folder(tmp_path, monkeypatch, repo) -> Path:
    """A working directory with the repository's config and resources, and no data."""
    for name in ("config", "resources"):
        (tmp_path / name).symlink_to(repo / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sheet_of(repo: Path, cohort: str) -> pd.DataFrame:
    """A sheet as it is written, its paths not looked up."""
    path = repo / f"config/samples/{cohort}.tsv"
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def read_config() -> dict:
    return yaml.safe_load(Path(CONFIG).read_text())


def place(path: str):
    """An empty file, or a folder where the path names one."""
    if Path(path).suffix:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    else:
        Path(path).mkdir(parents=True)


def place_all(config: dict):
    for cohort in config["cohorts"].values():
        sheet = pd.read_csv(cohort["samples"], sep="\t", dtype=str, keep_default_na=False)
        for column in ("path_or_id", "positions"):
            for path in sheet.get(column, []):
                place(path)
        if labels := cohort.get("labels"):
            place(labels)
    place(config["models"]["released"]["released"]["path"])


def check(config: dict) -> dict[str, pd.DataFrame]:
    """As the workflow does, before any job starts."""
    check_config(config)
    validate(config, str(SCHEMAS / "config.schema.yaml"))
    sheets = {name: read_samples(c["samples"], name) for name, c in config["cohorts"].items()}
    check_references(config, sheets)
    return sheets


def test_with_all_files_there_it_passes(folder):
    config = read_config()
    place_all(config)
    sheets = check(config)
    assert {name: len(sheet) for name, sheet in sheets.items()} == {
        "hest": 416,
        "opscc": 12,
        "gbm": 20,
    }


def remove(path: str) -> Callable:
    def change():
        Path(path).rmdir() if Path(path).is_dir() else Path(path).unlink()

    return change


MISSING = {
    "data/hest/st/TENX152.h5ad": ["config/samples/hest.tsv", "sample `TENX152`", "correct the"],
    "data/opscc/GSM6339642_s12_filtered_feature_bc_matrix.h5": [
        "config/samples/opscc.tsv",
        "sample `s12`",
        "correct the sheet",
    ],
    "data/opscc/GSM6339631_s1_tissue_positions_list.csv.gz": ["sample `s1`", "positions"],
    "data/gbm/10XVisium_2/#UKF256_TI_ST/outs": ["config/samples/gbm.tsv", "sample `UKF256_TI`"],
    "data/opscc/labels.tsv": ["cohorts.opscc.labels", "correct the path"],
}


@pytest.mark.parametrize("path", MISSING)
def test_a_missing_file_is_named_with_its_sample_and_remedy(folder, path):
    config = read_config()
    place_all(config)
    remove(path)()
    with pytest.raises(InputError) as error:
        check(config)
    for words in [f"{path} does not exist", str(folder), *MISSING[path]]:
        assert words in str(error.value)


def test_a_missing_checkpoint_is_named(folder):
    config = read_config()
    place_all(config)
    Path(config["models"]["released"]["released"]["path"]).unlink()
    with pytest.raises(InputError, match=r"models\.released\.released\.path: .* does not exist"):
        check(config)


def test_the_first_model_is_trained_as_released(folder):
    config = read_config()
    validate(config, str(SCHEMAS / "config.schema.yaml"))
    name, paper = next(iter(config["models"].items()))
    training = paper["training"]
    assert (name, paper["normalisation"], paper["network"]) == ("paper", "log1p", "gcn")
    assert (training["order"], training["validation_masks"]) == ("as_released", "redrawn")
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
    assert list(sheet["path_or_id"]) == [f"data/hest/st/{s}.h5ad" for s in sheet["sample"]]


def test_opscc_files_are_named_as_at_geo(repo):
    sheet = sheet_of(repo, "opscc")
    for i, row in enumerate(sheet.to_dict("records")):
        stem = f"data/opscc/GSM{6339631 + i}_s{i + 1}_"
        assert row["sample"] == f"s{i + 1}"
        assert row["path_or_id"] == f"{stem}filtered_feature_bc_matrix.h5"
        assert row["positions"] == f"{stem}tissue_positions_list.csv.gz"


def test_gbm_has_tumour_sections_only_and_their_patients(repo):
    sheet = sheet_of(repo, "gbm")
    for row in sheet.to_dict("records"):
        assert re.fullmatch(r"UKF\d{3}_(IDHMutant_)?T[CI]?", row["sample"])
        assert row["patient"] == row["sample"][:6]
        assert row["path_or_id"] == f"data/gbm/10XVisium_2/#{row['sample']}_ST/outs"
    assert sheet["sample"].nunique() == 20
    assert sheet["patient"].nunique() == 19


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
