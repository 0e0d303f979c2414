"""Arguments that several commands have, under the same names and words."""

from argparse import ArgumentParser


def add_section(parser: ArgumentParser) -> None:
    """A section of any format, the h5ad to write, and what is to be known of the section."""
    parser.add_argument(
        "source", metavar="IN", help="Space Ranger's outs/, a 10x .h5, an .h5ad, a .zarr or a table"
    )
    parser.add_argument("output", metavar="OUT", help="the .h5ad to write")
    parser.add_argument("--positions", default="", help="position file, if IN has no positions")


def add_machine(parser: ArgumentParser) -> None:
    """The model, and what it needs."""
    parser.add_argument(
        "--model",
        default="light",
        help="a model's folder, a checkpoint, or light, which comes with the package (default)",
    )
    parser.add_argument(
        "--technology",
        default="",
        help="Visium, 'Spatial Transcriptomics', hexagonal or square; only a model on the array's "
        "grid needs it",
    )
    add_device(parser)


def add_device(parser: ArgumentParser) -> None:
    """Where a model computes."""
    parser.add_argument(
        "--device", default="auto", help="cpu, cuda, or auto: a GPU if there is one"
    )


def add_sections(parser: ArgumentParser) -> None:
    """Sections that are read together."""
    parser.add_argument("source", metavar="IN", nargs="+", help=".h5ad files with raw counts")


def add_groups(parser: ArgumentParser) -> None:
    """Columns of obs that name sections and patients."""
    parser.add_argument(
        "--library-key", help="column of obs that names each spot's section, if a file has several"
    )
    parser.add_argument(
        "--patient", help="column of obs that names each spot's patient (default: its section)"
    )
