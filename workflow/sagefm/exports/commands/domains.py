"""`sagefm domains`: find clusters shared across sections, their number and their markers."""

from argparse import ArgumentParser
from pathlib import Path

from sagefm.exports.commands.shared import add_device, add_groups, add_sections

HELP = "find tissue domains shared by several sections, and their markers"

DESCRIPTION = (
    "Cluster the embedding of all sections together. The number of domains is the largest whose "
    "clusters are reproduced from other spots and seeds. OUT has obs['sagefm_domain']. Markers are "
    "tested over patients."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `run`."""
    add_sections(parser)
    parser.add_argument("output", metavar="OUT", help="the .h5ad to write, with all sections")
    parser.add_argument("--model", help="model that embeds the sections first")
    parser.add_argument("--obsm", help="key of an embedding in IN, instead of --model")
    add_groups(parser)
    parser.add_argument(
        "--technology",
        help="Visium or 'Spatial Transcriptomics'; only a model on the array's grid needs it",
    )
    parser.add_argument(
        "--number", type=int, help="number of domains (default: the largest stable one)"
    )
    parser.add_argument("--centred", action="store_true", help="subtract each section's mean first")
    parser.add_argument(
        "--figure", metavar="PDF", help="stability curve to draw; a .png is also written"
    )
    parser.add_argument("--markers", metavar="TSV", help="table of markers to write")
    add_device(parser)


def run(
    source: list[str],
    output: str,
    *,
    model: str | None,
    obsm: str | None,
    library_key: str | None,
    technology: str | None,
    number: int | None,
    figure: str | None,
    markers: str | None,
    device: str,
    **options,
) -> str:
    """Find domains and return a message with their number, sizes and output file."""
    from sagefm.clustering.stability import NUMBERS, draw_stability
    from sagefm.common.errors import InputError
    from sagefm.common.h5ad import write_h5ad
    from sagefm.common.io import atomic, write_table
    from sagefm.exports.api import EMBEDDING, embed, load
    from sagefm.exports.domained import DOMAIN, FOUND, domains
    from sagefm.exports.labelled import read_sections
    from sagefm.exports.section import check_output
    from sagefm.plotting.style import save

    if (model is None) == (obsm is None):
        raise InputError(
            "exactly one of --model and --obsm is needed. Fix: give --model to embed the sections, "
            "or --obsm to use an embedding that they have."
        )
    for path in source:
        check_output(Path(path), Path(output))
    adata, library_key = read_sections(source, library_key)
    if model is not None:
        embed(adata, load(model, device=device), library_key=library_key, technology=technology)
    domains(
        adata,
        obsm=obsm or EMBEDDING,
        library_key=library_key,
        numbers=NUMBERS if number is None else [number],
        **options,
    )
    found = adata.uns[FOUND]
    if figure:
        pdf = Path(figure).with_suffix(".pdf")
        save(draw_stability(found["stability"], found["number"]), pdf, pdf.with_suffix(".png"))
    if markers:
        write_table(found["markers"], markers)
    with atomic(output) as temporary:
        write_h5ad(adata, temporary)
    chosen = found["stability"].set_index("number").loc[found["number"], "stability"]
    sizes = ", ".join(
        f"{name}: {size:,}" for name, size in adata.obs[DOMAIN].value_counts().items()
    )
    lines = [
        f"{output}: {found['number']} domains (adjusted Rand index between fits {chosen:.2f}); "
        f"spots of each: {sizes}"
    ]
    return "\n".join([*lines, *filter(None, [found["note"]])])
