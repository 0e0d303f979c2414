"""A file or folder on this machine."""

HELP = "`PATH`, from the working directory"


def raw_path(address: str) -> str:
    """The path itself: without `locate`, a source's files are where they are said to be."""
    return address
