"""Values that are read when they are asked for."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

Source = TypeVar("Source")
Value = TypeVar("Value")


class OnDemand(Mapping[str, Value]):
    """Values by name, each read whenever it is asked for and never kept.

    Parameters
    ----------
    sources
        What each value is read from, by name.
    read
        Function of a source that reads its value.
    """

    def __init__(self, sources: Mapping[str, Source], read: Callable[[Source], Value]) -> None:
        self._sources, self._read = sources, read

    def __getitem__(self, name: str) -> Value:
        """Read a value."""
        return self._read(self._sources[name])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._sources)

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self._sources)
