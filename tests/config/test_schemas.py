"""Schemas describe every key, and errors are readable."""

import copy
import json
import math
import re

import pytest
import yaml
from snakemake.utils import validate

from sagefm.config.schemas import (
    _UNQUOTED,
    PATTERNS,
    SCHEMAS,
    first_error,
    load_schema,
    set_defaults,
)


def properties(schema: dict, path: str = ""):
    """Every property of a schema, nested ones included."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}/{name}", inner
        yield from properties(inner, f"{path}/{name}")
    if isinstance(more := schema.get("additionalProperties"), dict):
        yield from properties(more, f"{path}/*")


@pytest.mark.parametrize("name", ["config", "samples"])
def test_every_key_is_described_and_closed_to_others(name):
    schema = load_schema(name)
    found = dict(properties(schema))
    assert len(found) > 10
    for path, inner in found.items():
        text = inner.get("description", "")
        assert text.endswith((".", "?")), f"{path}: {text!r}"
        if inner.get("type") == "object" or "object" in inner.get("type", []):
            assert "additionalProperties" in inner, path
            assert inner["additionalProperties"] is not True, path
    assert schema["additionalProperties"] is False


def test_optional_keys_have_defaults():
    for path, inner in properties(load_schema("config")):
        required = path in {"/run", "/cohorts", "/models", "/cohorts/*/samples"}
        required |= path in {"/models/*/pretrain_on", "/graphs/*/kind", "/tasks/*/cohort"}
        required |= path == "/perturbation/pairs/*/source"
        # Of a method's entry only what is given is kept: the rest are its own options.
        if not required and not re.search("/released/|/embeddings/|/methods/|/raw_labels/", path):
            assert "default" in inner, path


def patterns(schema: object):
    """Every pattern of a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for inner in schema.values():
            yield from patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from patterns(inner)


def test_every_pattern_has_its_words():
    names = ("config", "samples", "label_files")
    assert {found for name in names for found in patterns(load_schema(name))} == set(PATTERNS)


@pytest.mark.parametrize(
    ("schema", "instance", "words"),
    [
        ({"minimum": 1}, 0, "`0` is given, but 1 or more is wanted"),
        ({"exclusiveMaximum": 0.5}, 0.5, "`0.5` is given, but less than 0.5 is wanted"),
        ({"minItems": 1}, [], "it is empty"),
        ({"minLength": 1}, "", "it is empty"),
        ({"pattern": "^[0-9]*$"}, "x", "`x` is given, but a whole number is wanted"),
        (
            {"type": ["string", "null"]},
            5,
            f"`5` is given, but text or null is wanted: it is {_UNQUOTED}",
        ),
        (
            {"type": "number"},
            "5e-5",
            "`5e-5` is text to YAML, where a number is wanted; write 0.00005",
        ),
        (
            {"type": "integer"},
            "1e5",
            "`1e5` is text to YAML, where a number is wanted; write 100000",
        ),
        ({"type": "integer"}, 5e-5, "`5e-05` is given, but a whole number is wanted"),
        (
            {"type": "string"},
            True,
            f"`True` is given, but text is wanted: it is {_UNQUOTED}",
        ),
        ({"enum": [None, "a", "b"]}, "c", "`c` is not one of 'a', 'b'"),
        ({"type": "integer"}, 2.0, "`2.0` is given, but a whole number is wanted"),
        ({"type": "integer"}, True, "`True` is given, but a whole number is wanted"),
        ({"type": "number", "minimum": 0}, math.nan, "`nan` is given, but a number is wanted"),
        ({"type": "number", "minimum": 0}, math.inf, "`inf` is given, but a number is wanted"),
        ({"uniqueItems": True}, ["a", "b", "a"], "`a` is given twice"),
        ({"minItems": 2}, ["a"], "its length is 1, but 2 is wanted"),
        ({"type": "string"}, None, "nothing is given, but text is wanted"),
    ],
)
def test_an_error_is_told_in_words(schema, instance, words):
    assert first_error({"key": instance}, {"properties": {"key": schema}}) == f"at key: {words}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1: a", "at the top level: the name `1` is not text"),
        ("on: a", "at the top level: the name `True` is not text"),
        ("cohorts: {5: {samples: s.tsv}}", "at cohorts: the name `5` is not text"),
        ("cohorts: {no: {samples: s.tsv}, mine: {}}", "at cohorts: the name `False` is not text"),
        ("tasks: {a: {labels: [{2024-01-01: x}]}}", "at tasks.a.labels.0: the name `2024-01-01`"),
    ],
)
def test_a_name_that_yaml_does_not_read_as_text(text, words):
    found = first_error(yaml.safe_load(text), load_schema("config"))
    assert found.startswith(words) and 'Fix: put it in quotes, as in "1"' in found


def test_a_valid_instance_has_no_error():
    assert first_error({"key": 1}, {"properties": {"key": {"minimum": 1}}}) is None


@pytest.mark.parametrize("name", ["config", "paper"])
def test_defaults_are_those_that_snakemake_gives(repo, name):
    config = yaml.safe_load((repo / f"config/{name}.yaml").read_text())
    expected = copy.deepcopy(config)
    validate(expected, str(SCHEMAS / "config.schema.yaml"))
    set_defaults(config, load_schema("config"))
    assert json.dumps(config) == json.dumps(expected)


def test_two_entries_do_not_share_a_default():
    schema = {"additionalProperties": {"properties": {"shares": {"default": [1]}}}}
    config: dict = {"a": {}, "b": {}}
    set_defaults(config, schema)
    config["a"]["shares"].append(2)
    assert config == {"a": {"shares": [1, 2]}, "b": {"shares": [1]}}
