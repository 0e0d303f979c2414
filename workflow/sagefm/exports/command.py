"""The command `sagefm`: what can be done with a trained model and a section, without a run."""

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

import sagefm
from sagefm.common.errors import InputError

COMMANDS = ("embed", "annotate", "domains", "finetune", "score")
"""Files of the folder `commands`; each has `HELP`, `DESCRIPTION`, `add_arguments` and `run`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status, 1 if the input cannot be used.

    Parameters
    ----------
    arguments
        Words of the command line after `sagefm`; those of this process if not given.
    """
    options = vars(_parser().parse_args(arguments))
    logging.basicConfig(format="%(message)s")
    logging.getLogger("sagefm").setLevel(logging.INFO)  # other packages' steps are of no interest
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
