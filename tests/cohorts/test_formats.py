"""Which files make a section; what is wrong with them is tested with their readers."""

from sagefm.cohorts.formats.registry import find_section, names
from sagefm.config.schemas import load_schema
from support import helpers


def test_the_sheets_name_every_format_and_no_other():
    assert {*load_schema("samples")["properties"]["format"]["enum"]} - {"", "auto"} == {*names()}


def test_locate_opens_nothing_and_names_every_file(tmp_path):
    for name in (
        "filtered_feature_bc_matrix.h5",
        "filtered_feature_bc_matrix/matrix.mtx.gz",
        "spatial/tissue_positions.csv",
        "spatial/tissue_positions_list.csv",
    ):
        helpers.write_bytes(tmp_path / "outs" / name, b"")
    assert find_section(tmp_path / "outs") == (
        "spaceranger",
        {
            "counts": tmp_path / "outs/filtered_feature_bc_matrix.h5",
            "positions": tmp_path / "outs/spatial/tissue_positions.csv",
        },
    )
