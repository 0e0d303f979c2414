"""`sagefm embed`: embed a section and write it as h5ad."""

from argparse import ArgumentParser

from sagefm.exports.commands.shared import add_machine, add_section

HELP = "embed a section and write it as h5ad"

DESCRIPTION = "Embed each spot of a section: counts in, obsm['X_sagefm'] out."


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `run`."""
    add_section(parser)
    add_machine(parser)
    parser.add_argument(
        "--layer", default="", help="layer with the raw counts, or raw (default: X)"
    )
    parser.add_argument("--library", default="", help="section to read from a file with several")
    parser.add_argument("--library-key", default="", help="column of obs that names the sections")
    parser.add_argument(
        "--orientation",
        default="",
        choices=("spots_by_genes", "genes_by_spots"),
        help="orientation of a table of counts, if its names do not show it",
    )
    parser.add_argument(
        "--min-overlap",
        type=float,
        help="minimum share of the model's genes that IN must have (default: the model's own)",
    )
    parser.add_argument(
        "--aliases",
        default="",
        help="table (TSV) with the columns alias (old symbol or id), symbol",
    )
    parser.add_argument(
        "--predict", action="store_true", help="also write the predicted expression as a layer"
    )


def run(source: str, output: str, model: str, device: str, **options) -> str:
    """Embed a section and return a message with what was written."""
    # These take seconds to import, and `sagefm --help` does not need them.
    from sagefm.exports.section import embed_section
    from sagefm.networks.device import prepare_machine

    # One thread, as in the workflow: rounding in matrix products depends on their number.
    sample = embed_section(source, output, model, prepare_machine(device, threads=1), **options)
    facts = sample.uns["provenance"]
    return (
        f"{output}: {sample.n_obs:,} of {facts['spots_source']:,} spots, "
        f"{facts['genes_panel']:,} of the model's {sample.n_vars:,} genes, "
        f"obsm['X_sagefm'] of {sample.obsm['X_sagefm'].shape[1]} features"
    )
