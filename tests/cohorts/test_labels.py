"""Labels read from files written by R (tests/data/r_labels/make.R), and files that are not."""

from pathlib import Path

import pandas as pd
import pytest

from sagefm.cohorts.labels import label_table, read_r_labels
from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.sections.labels import join_labels

FILES = Path(__file__).parents[1] / "data/r_labels"
COLUMN = "pathologist_anno.x"


@pytest.fixture
def codes(repo) -> pd.DataFrame:
    return read_table(repo / "resources/labels/opscc_codes.tsv")


@pytest.mark.parametrize("name", ["strings.Robj", "factor.Robj"])
def test_labels_of_a_seurat_object(name):
    labels = read_r_labels(FILES / name, COLUMN)
    assert labels.to_dict("list") == {
        "spot": ["AAACATTTCCCGGATT", "AAACCGGGTAGGTACC", "AAACCTAAGCAGCCGG"],
        "label": ["SCC", "Lymphocyte Negative Stroma", "Artery/Vein"],
    }


@pytest.mark.parametrize("name", ["codes.rds", "doubles.rds"])
def test_labels_of_a_vector_of_codes(name, codes):
    labels = read_r_labels(FILES / name, None, codes)
    assert labels.to_dict("list") == {
        "spot": ["0x0", "1x3", "50x102", "12x6"],
        "label": ["SCC", "Lymphocyte Negative Stroma", "Artery/Vein", "SCC"],
    }


def test_they_join_a_section_by_barcode_whose_suffix_is_another(codes):
    """R's merge numbers the sections (`-2`), Space Ranger's own suffix is `-1`."""
    obs = pd.DataFrame(index=["AAACCGGGTAGGTACC-1", "TTTTTTTTTTTTTTTT-1", "AAACATTTCCCGGATT-1"])
    labels = read_r_labels(FILES / "strings.Robj", COLUMN).assign(sample="s2")
    joined = join_labels(obs, labels, "s2")
    assert [*joined.astype(object).where(joined.notna(), None)] == [
        "Lymphocyte Negative Stroma",
        None,
        "SCC",
    ]


def test_they_join_a_section_by_array_position(codes):
    obs = pd.DataFrame({"array_row": [1, 50], "array_col": [3, 102]}, index=["A-1", "C-1"])
    labels = read_r_labels(FILES / "codes.rds", None, codes).assign(sample="s1")
    assert [*join_labels(obs, labels, "s1")] == ["Lymphocyte Negative Stroma", "Artery/Vein"]


def test_barcodes_that_only_their_suffix_tells_apart_keep_it(monkeypatch):
    both = pd.DataFrame({COLUMN: ["SCC", "Muscle"]}, index=["AAAC-1", "AAAC-2"])
    monkeypatch.setattr("sagefm.cohorts.labels._content", lambda path: both)
    assert [*read_r_labels("merged.Robj", COLUMN)["spot"]] == ["AAAC-1", "AAAC-2"]


def test_the_meaning_of_codes_says_what_it_rests_on(codes):
    assert [*codes["code"]] == [*range(1, 8)]
    assert [*codes["label"]] == sorted(codes["label"])
    verified = codes.loc[codes["evidence"] == "verified", "label"]
    assert [*verified] == ["Lymphocyte Negative Stroma", "SCC"]
    inferred = codes.loc[~codes["label"].isin(verified), "evidence"]
    assert inferred.unique().tolist() == ["inferred from alphabetical order"]


def test_a_table_of_codes_is_trimmed_and_gives_each_one_label(tmp_path):
    path = tmp_path / "codes.tsv"
    path.write_text("code\tlabel\n" + "".join(f" {i}\t class  {i} \n" for i in range(1, 8)))
    found = label_table({"s1": FILES / "codes.rds"}, None, path)
    assert {*found["label"]} <= {f"class {i}" for i in range(1, 8)} and len(found)
    path.write_text("code\tlabel\n1\ta\n1\tb\n")
    with pytest.raises(InputError, match=r"codes.tsv: code 1 has two labels"):
        label_table({"s1": FILES / "codes.rds"}, None, path)
    path.write_bytes(b"code\tlabel\n1\t\xe9\n")
    with pytest.raises(InputError, match=r"codes.tsv cannot be read as a table: it is not text"):
        label_table({"s1": FILES / "codes.rds"}, None, path)


def truncated(path: Path) -> bytes:
    return path.read_bytes()[:-200]


def damaged(path: Path) -> bytes:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    return bytes(content)


@pytest.mark.parametrize(
    "name", ["strings.Robj", "factor.Robj", "doubles.rds", "page.rds", "no.rds"]
)
@pytest.mark.parametrize("spoil", [truncated, damaged])
def test_what_is_no_whole_file_of_r_ends_in_one_sentence(tmp_path, name, spoil, codes):
    path = tmp_path / name
    if name == "page.rds":
        path.write_text("<!DOCTYPE html><html>Sign in</html>")
    elif name == "no.rds":
        path.touch()
    else:
        path.write_bytes(spoil(FILES / name))
    with pytest.raises(InputError, match=rf"{path}: cannot be read as a file of R's .* fetch it"):
        read_r_labels(path, COLUMN, codes)


def test_what_it_lacks_is_named(codes):
    with pytest.raises(InputError, match=r"no column `pathologist_anno`; did you mean `pathol.*x`"):
        read_r_labels(FILES / "strings.Robj", "pathologist_anno")
    with pytest.raises(InputError, match=r"code 1 has no meaning in `raw_labels.codes`"):
        read_r_labels(FILES / "codes.rds", None, codes[codes["code"] != 1])
    with pytest.raises(InputError, match="holds codes, not names"):
        read_r_labels(FILES / "codes.rds", COLUMN)
    with pytest.raises(InputError, match="holds neither a Seurat object nor a vector of codes"):
        read_r_labels(FILES / "list.rds", COLUMN, codes)
    with pytest.raises(InputError, match=r"no such file\. Fix: correct the sheet"):
        read_r_labels(FILES / "absent.rds", COLUMN, codes)


def test_a_cohorts_files_become_one_table(repo, tmp_path):
    files = {"s1": FILES / "codes.rds", "s2": FILES / "strings.Robj"}
    table = label_table(files, COLUMN, repo / "resources/labels/opscc_codes.tsv")
    assert [*table] == ["sample", "spot", "label"]
    assert table["sample"].value_counts().to_dict() == {"s1": 4, "s2": 3}
    (tmp_path / "codes.tsv").write_text("code\tlabel\nseven\tSCC\n")
    with pytest.raises(InputError, match=r"codes.tsv: is not a table with the columns code"):
        label_table(files, COLUMN, tmp_path / "codes.tsv")
