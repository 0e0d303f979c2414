"""Progress bars: on a terminal that nothing else draws on, and nowhere else."""

import io

import pytest

from sagefm.common.job import WATCHED
from sagefm.common.progress import progress_bar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "watched", "shown"),
    [(Terminal, False, True), (Terminal, True, False), (io.StringIO, False, False)],
)
def test_bars_are_drawn_on_a_terminal_that_is_not_watched(monkeypatch, stream, watched, shown):
    monkeypatch.delenv(WATCHED, raising=False)
    if watched:
        monkeypatch.setenv(WATCHED, "1")
    written = stream()
    assert list(progress_bar(range(3), desc="chunks", file=written, mininterval=0)) == [0, 1, 2]
    assert ("chunks" in written.getvalue()) is shown
