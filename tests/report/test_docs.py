"""The documentation agrees with schemas, registries and code, and its examples are valid."""

import re

import pytest
import yaml

import sagefm
from sagefm.common.errors import InputError
from sagefm.config.schemas import first_error, load_schema
from sagefm.report.docs import (
    TABLES,
    api_table,
    config_table,
    fill_tables,
    formats_table,
    makes_table,
    networks_table,
    sources_table,
    tabled,
)
from support import helpers


@pytest.fixture(scope="module")
def text(repo):
    return (repo / "config/README.md").read_text()


def test_every_table_is_up_to_date_where_it_is_shown(repo, monkeypatch):
    monkeypatch.chdir(repo)
    shown = set()
    for document in tabled():
        text = document.read_text()
        assert fill_tables(text) == text, f"{document} is stale. Fix: run `make docs`."
        shown |= set(re.findall(r"<!-- table: (\w+) -->", text))
    assert shown == set(TABLES)


def test_the_api_page_has_every_public_function():
    page = api_table()
    assert "| `sagefm.embed` | Write the embedding of each spot into" in page
    assert page.count("\n::: sagefm.exports.") == len(sagefm.__all__)


def test_only_what_is_between_the_markers_is_written():
    before, after = "a\n<!-- table: sources -->\n", "<!-- end of table -->\nb\n"
    assert fill_tables(f"{before}old\n{after}") == f"{before}{sources_table()}{after}"
    with pytest.raises(InputError, match="did you mean `sources`"):
        fill_tables(f"{before.replace('sources', 'source')}{after}")


def test_the_table_goes_into_named_entries():
    table = config_table()
    for key in ("`models.NAME.training.epochs`", "`cohorts.NAME.samples`", "`qc.min_spots`"):
        assert f"| {key} |" in table


OWN = {
    "cohorts/formats/loom.py": (
        'HELP = "a `.loom` file"\nPOSITIONS = "in the file"\nIMAGES = CHOICES = ()\n'
        'EXAMPLES = {"a loom": {"path_or_id": "a.loom"}}\nfits = files = positions = read = None\n'
    ),
    "downloads/sources/ftp.py": (
        '"""Files of a server."""\nHELP = "`HOST/PATH`"\nENDPOINTS = {"FTP": "https://x.org"}\n'
        "raw_path = locate = None\n"
    ),
}


def test_a_users_own_format_and_source_are_in_the_tables(tmp_path, monkeypatch):
    for name, content in OWN.items():
        helpers.write_bytes(tmp_path / name, content.encode())
    monkeypatch.setenv("SAGEFM_PATH", str(tmp_path))
    row = "| `loom` | a `.loom` file | in the file |"
    assert row in formats_table()
    assert "| a loom (`loom`) | source `local`, path_or_id `a.loom` |" in makes_table()
    assert "| `ftp` | `HOST/PATH` | Files of a server. | `FTP_ENDPOINT` |" in sources_table()
    assert "`loom`" in TABLES["samples"]() and "`ftp`" in TABLES["samples"]()


def test_every_network_is_in_its_table_and_a_value_of_its_key():
    assert "| `gcn` |" in networks_table()
    (row,) = (row for row in config_table().splitlines() if "| `models.NAME.network` |" in row)
    assert "`gcn`" in row and "`two_channel`" in row


def test_the_examples_are_valid(text):
    examples = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        config = yaml.safe_load(example)
        whole = {"run": "x", "cohorts": {"x": {"samples": "x.tsv"}}, "models": {}} | config
        whole["models"] = whole["models"] or {"m": {"pretrain_on": ["x"]}}
        assert first_error(whole, load_schema("config")) is None
