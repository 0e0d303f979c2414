"""The command `sagefm`: apply a trained model to sections without running the workflow."""

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

import sagefm
from sagefm.common.errors import InputError

COMMANDS = ("embed", "annotate", "domains", "finetune", "score")
"""Modules in `commands`, each with `HELP`, `DESCRIPTION`, `add_arguments` and `run`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 1 if the input cannot be used.

    Parameters
    ----------
    arguments
        Command-line arguments after `sagefm`. Default: those of this process.
    """
    options = vars(_parser().parse_args(arguments))
    logging.basicConfig(format="%(message)s")
    logging.getLogger("sagefm").setLevel(logging.INFO)  # not other packages' messages
    logging.captureWarnings(True)
    try:
        print(options.pop("run")(**options))
    except (InputError, OSError) as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sagefm", description="SAGE-FM, a graph network for spatial transcriptomics."
    )
    parser.add_argument("--version", action="version", version=f"sagefm {sagefm.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        command = import_module(f"sagefm.exports.commands.{name}")
        own = commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION)
        own.set_defaults(run=command.run)
        command.add_arguments(own)
    return parser


if __name__ == "__main__":
    sys.exit(main())
