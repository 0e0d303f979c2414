"""The error that users are meant to read, and hints about unknown names."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Unusable input: a one-sentence message that names the file or sheet row and how to fix it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence.replace("?.", "?"))  # a hint at its end may be a question


def hint(name: str, known: Iterable[str], otherwise: str = "there are") -> str:
    """Suggest the known name closest to `name`, as a question; list all names if none is close."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"{otherwise} {', '.join(names) or 'none'}"
