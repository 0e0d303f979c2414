"""A run as it is shown: bars that are drawn anew on a terminal, lines where nothing can be."""

import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sagefm.console.progress import RunProgress, about

EVERY = 0.1
"""Share of the steps after which the lines say how far the run has come."""

WIDTH = 30
"""Columns of a bar."""


def so_far(progress: RunProgress, minutes: float) -> str:
    """Steps done, and the time that is left."""
    words = f"{progress.finished} of {progress.steps} steps done"
    left = progress.left(minutes)
    return words if left is None else f"{words}, {about(left)} left"


class Lines:
    """A line for each job as it begins, and now and then one for the run."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.told = 0

    def line(self, text: str) -> None:
        """Write a line, unless it is empty."""
        if text:
            print(text, file=self.stream, flush=True)

    def begin(self, progress: RunProgress, message: str) -> None:
        """A job has begun."""
        self.line(f"{time.strftime('%H:%M:%S')}  {message}")

    def done(self, progress: RunProgress, minutes: float) -> None:
        """A job has ended well."""
        tenths = int(progress.finished / progress.steps / EVERY)
        if tenths > self.told and progress.finished < progress.steps:
            self.told = tenths
            self.line(f"{time.strftime('%H:%M:%S')}  -- {so_far(progress, minutes)}")

    def stop(self) -> None:
        """Nothing is left to take away."""


class Bars:
    """A bar for each chapter, what is running below them, and lines above them."""

    def __init__(self, stream: TextIO, progress: RunProgress, minutes: Callable[[], float]) -> None:
        self.console = Console(file=stream, highlight=False)
        self.live = Live(
            get_renderable=lambda: drawn(progress, minutes()),
            console=self.console,
            refresh_per_second=2,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.live.start()

    def line(self, text: str) -> None:
        """Write a line above the bars."""
        if text:
            self.console.print(Text(text), soft_wrap=True)

    def begin(self, progress: RunProgress, message: str) -> None:
        """A job has begun: the next drawing shows it."""

    def done(self, progress: RunProgress, minutes: float) -> None:
        """A job has ended: the next drawing shows it."""

    def stop(self) -> None:
        """Take the bars away."""
        self.live.stop()


def drawn(progress: RunProgress, minutes: float) -> Group:
    """The bars, the steps and what is running."""
    table = Table.grid(padding=(0, 1))
    for chapter, (done, total) in progress.by_chapter().items():
        bar = ProgressBar(total=total, completed=done, width=WIDTH)
        table.add_row(chapter, bar, f"{done}/{total}")
    running = "; ".join(message for _, message in list(progress.running.values()))
    words = Text(so_far(progress, minutes), style="bold")
    return Group(table, words, Text(running, overflow="ellipsis", no_wrap=True))
