"""Arguments shared by several commands."""

from argparse import ArgumentParser


def add_section(parser: ArgumentParser) -> None:
    """Add the input section in any format, its positions, and the output h5ad."""
    parser.add_argument(
        "source", metavar="IN", help="Space Ranger's outs/, a 10x .h5, an .h5ad, a .zarr or a table"
    )
    parser.add_argument("output", metavar="OUT", help="the .h5ad to write")
    parser.add_argument("--positions", default="", help="position file, if IN has no positions")


def add_machine(parser: ArgumentParser) -> None:
    """Add the model, the technology and the device."""
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
    """Add the device that a model runs on."""
    parser.add_argument(
        "--device", default="auto", help="cpu, cuda, or auto: a GPU if one is available"
    )


def add_sections(parser: ArgumentParser) -> None:
    """Add the input sections, which are read together."""
    parser.add_argument("source", metavar="IN", nargs="+", help=".h5ad files with raw counts")


def add_groups(parser: ArgumentParser) -> None:
    """Add the columns of obs that name sections and patients."""
    parser.add_argument(
        "--library-key", help="column of obs that names each spot's section, if a file has several"
    )
    parser.add_argument(
        "--patient", help="column of obs that names each spot's patient (default: its section)"
    )
