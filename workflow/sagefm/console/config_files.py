"""Refuse config files that Snakemake cannot read, with one sentence, before it tries."""

import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from sagefm.common.errors import InputError
from sagefm.common.texts import read_utf8

OPTIONS = ("--configfile", "--configfiles")


def config_files_of(arguments: Sequence[str]) -> list[str]:
    """Return the config files named on Snakemake's command line."""
    files = []
    for place, argument in enumerate(arguments):
        option, _, first = argument.partition("=")
        if option in OPTIONS:
            rest = arguments[place + 1 :]
            files += [first] * bool(first)
            files += takewhile(lambda word: not word.startswith("-"), rest)
    return files


def refuse_unreadable_configs(arguments: Sequence[str]) -> None:
    """Stop Snakemake with one sentence if a config file is not UTF-8 text.

    Snakemake reads the files before any code of the workflow runs, and would end in a traceback.
    """
    for path in filter(Path.is_file, map(Path, config_files_of(arguments))):
        try:
            read_utf8(path, "a config")
        except InputError as error:
            sys.exit(f"Error: {error}")
