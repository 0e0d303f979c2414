"""config/README.md says what the schemas say, and its examples are valid."""

import re

import pytest
import yaml

from sagefm.config.schemas import first_error, load_schema
from sagefm.report.docs import config_table, methods_table, samples_table, sources_table


@pytest.fixture(scope="module")
def text(repo):
    return (repo / "config/README.md").read_text()


@pytest.mark.parametrize("table", [config_table, methods_table, samples_table, sources_table])
def test_every_key_is_explained_in_the_schemas_words(text, table):
    assert table() in text, f"paste the output of sagefm.report.docs.{table.__name__} into it"


def test_the_table_goes_into_named_entries():
    table = config_table()
    for key in ("`models.NAME.training.epochs`", "`cohorts.NAME.samples`", "`qc.min_spots`"):
        assert f"| {key} |" in table


def test_the_examples_are_valid(text):
    examples = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        config = yaml.safe_load(example)
        whole = {"run": "x", "cohorts": {"x": {"samples": "x.tsv"}}, "models": {}} | config
        whole["models"] = whole["models"] or {"m": {"pretrain_on": ["x"]}}
        assert first_error(whole, load_schema("config")) is None
