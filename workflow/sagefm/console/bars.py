"""Show a run's progress: redrawn bars on a terminal, plain lines elsewhere."""

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
"""Share of the steps after which the next progress line is written."""

WIDTH = 30
"""Width of a bar, in columns."""


def so_far(progress: RunProgress, minutes: float) -> str:
    """Return the steps done and the remaining time, in words."""
    words = f"{progress.finished} of {progress.steps} steps done"
    left = progress.left(minutes)
    return words if left is None else f"{words}, {about(left)} left"


class Lines:
    """Writes a line for each job as it begins, and from time to time one for the run."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.told = 0

    def line(self, text: str) -> None:
        """Write a line, unless it is empty."""
        if text:
            print(text, file=self.stream, flush=True)

    def begin(self, progress: RunProgress, message: str) -> None:
        """Write a line for a job that has begun."""
        self.line(f"{time.strftime('%H:%M:%S')}  {message}")

    def done(self, progress: RunProgress, minutes: float) -> None:
        """Write a progress line after a finished job, if it is time for one."""
        tenths = int(progress.finished / progress.steps / EVERY)
        if tenths > self.told and progress.finished < progress.steps:
            self.told = tenths
            self.line(f"{time.strftime('%H:%M:%S')}  -- {so_far(progress, minutes)}")

    def stop(self) -> None:
        """Do nothing: there is nothing to remove."""


class Bars:
    """Shows a bar for each chapter, running jobs below them, and messages above them."""

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
        """Do nothing: the next drawing shows the job."""

    def done(self, progress: RunProgress, minutes: float) -> None:
        """Do nothing: the next drawing shows the finished job."""

    def stop(self) -> None:
        """Remove the bars."""
        self.live.stop()


def drawn(progress: RunProgress, minutes: float) -> Group:
    """Return the bars, the steps and the running jobs."""
    table = Table.grid(padding=(0, 1))
    for chapter, (done, total) in progress.by_chapter().items():
        bar = ProgressBar(total=total, completed=done, width=WIDTH)
        table.add_row(chapter, bar, f"{done}/{total}")
    running = "; ".join(message for _, message in list(progress.running.values()))
    words = Text(so_far(progress, minutes), style="bold")
    return Group(table, words, Text(running, overflow="ellipsis", no_wrap=True))
