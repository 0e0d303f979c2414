"""`sagefm score`: score an embedding computed elsewhere, and untrained baselines."""

from argparse import ArgumentParser

from sagefm.exports.commands.shared import add_groups, add_sections

HELP = "score an embedding against labels, with untrained baselines"

DESCRIPTION = (
    "Score obsm[KEY] of labelled sections as the workflow scores its own representations: balanced "
    "accuracy on held-out patients, clusters within sections, and integration of patients. "
    "Untrained baselines are computed from the raw counts of the same spots."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `run`."""
    add_sections(parser)
    parser.add_argument("--obsm", required=True, metavar="KEY", help="key of the embedding")
    parser.add_argument("--label", required=True, help="column of obs that names each spot's class")
    add_groups(parser)
    parser.add_argument("--layer", help="layer that holds the raw counts (default: X)")
    parser.add_argument(
        "--min-overlap",
        type=float,
        help="minimum share of the paper's genes that must be found (default: the workflow's)",
    )
    parser.add_argument(
        "--baselines", nargs="*", metavar="METHOD", help="baselines to compute (default: all six)"
    )
    parser.add_argument("--out", metavar="TSV", help="output table, with intervals")


def run(
    source: list[str],
    *,
    obsm: str,
    library_key: str | None,
    baselines: list[str] | None,
    out: str | None,
    **options,
) -> str:
    """Score an embedding and return the table of scores, representations in rows."""
    from sagefm.common.io import write_table
    from sagefm.exports.labelled import read_sections
    from sagefm.exports.scored import BASELINES, score_embedding

    adata, library_key = read_sections(source, library_key)
    chosen = BASELINES if baselines is None else baselines
    table = score_embedding(adata, obsm, library_key=library_key, baselines=chosen, **options)
    if out:
        write_table(table, out)
    wide = table.pivot(index="representation", columns="metric", values="value")
    wide = wide.loc[table["representation"].unique(), table["metric"].unique()]
    held_out = table["of"].iloc[0].replace("_", " ")
    return f"{wide.round(3).to_string()}\npatient_balanced_accuracy: {held_out}"
