"""The command `sagefm`: what can be done with a trained model and a section, without a run."""

import argparse
import logging
import sys
from collections.abc import Sequence

import sagefm
from sagefm.common.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status, 1 if the input cannot be used.

    Parameters
    ----------
    arguments
        Words of the command line after `sagefm`; those of this process if not given.
    """
    options = vars(_parser().parse_args(arguments))
    logging.basicConfig(level=logging.INFO, format="%(message)s")
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
    embed = commands.add_parser("embed", help="write a section with its embedding, as h5ad")
    embed.description = "Embed each spot of a section: counts in, obsm['X_sagefm'] out."
    embed.set_defaults(run=_embed)
    embed.add_argument(
        "source", metavar="IN", help="Space Ranger's outs/, a 10x .h5, a matrix folder or an .h5ad"
    )
    embed.add_argument("output", metavar="OUT", help="the .h5ad to write")
    embed.add_argument("--model", required=True, help="a model's folder, or a checkpoint")
    embed.add_argument("--positions", default="", help="position file, if IN has no positions")
    embed.add_argument(
        "--technology",
        default="",
        help="Visium or 'Spatial Transcriptomics'; only a model on the array's grid needs it",
    )
    embed.add_argument(
        "--predict", action="store_true", help="also write each gene as predicted, as a layer"
    )
    embed.add_argument("--device", default="auto", help="cpu, cuda, or auto: a GPU if there is one")
    return parser


def _embed(source: str, output: str, model: str, device: str, **options) -> str:
    """Embed a section; the sentence that says what was written."""
    # Seconds to import: `sagefm --help` does without them.
    from sagefm.exports.section import embed_section
    from sagefm.networks.device import prepare_machine

    # One thread, as in the workflow: how a matrix product rounds depends on their number.
    sample = embed_section(source, output, model, prepare_machine(device, threads=1), **options)
    facts = sample.uns["provenance"]
    return (
        f"{output}: {sample.n_obs:,} of {facts['spots_source']:,} spots, "
        f"{facts['genes_panel']:,} of the model's {sample.n_vars:,} genes, "
        f"obsm['X_sagefm'] of {sample.obsm['X_sagefm'].shape[1]} features"
    )


if __name__ == "__main__":
    sys.exit(main())
