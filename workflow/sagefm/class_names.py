"""The classes that a task's `drop` and `merge` name, held against those there are."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from sagefm.errors import InputError, hint

UNASSIGNED = "unassigned"
"""The class of spots at which no gene set leads, where labels are derived from them."""


def check_named(
    there: AbstractSet[str], drop: Sequence[str], merge: Mapping[str, Sequence[str]]
) -> None:
    """InputError if `drop` or `merge` names a class that is not there, or one twice."""
    named = [*drop, *(old for olds in merge.values() for old in olds)]
    for name in named:
        if name not in there:
            raise InputError(f"no spot is labelled `{name}`; {hint(name, sorted(there))}.")
        if named.count(name) > 1:
            raise InputError(f"class `{name}` is dropped or merged twice; name it once.")
