"""The one error a user is meant to read, and what it says to a name that is not there."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Input that cannot be used: one sentence that names the file or sheet row, and the remedy."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence.replace("?.", "?"))  # a hint at its end may be a question


def hint(name: str, known: Iterable[str], otherwise: str = "there are") -> str:
    """The known name that is closest to `name`, as a question; all of them if none is close."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"{otherwise} {', '.join(names) or 'none'}"
