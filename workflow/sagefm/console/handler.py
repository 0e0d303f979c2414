"""Progress of a run: a bar for each chapter on a terminal, a line for each job elsewhere.

A job's log contains all its messages. The console shows its warnings, and if it fails, its error
message. Snakemake's own log, in `.snakemake/log`, remains complete.
"""

import logging
import os
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from sagefm.common.job import WATCHED
from sagefm.common.text import count
from sagefm.console.bars import Bars, Lines
from sagefm.console.progress import RunProgress, about, chapters_of, duration, minutes_of

WORKFLOW = Path(__file__).parents[2]
COSTS = WORKFLOW.parent / "docs/results/demo/costs.tsv"
"""Run time of the jobs of a finished demo, as quoted in the documentation."""

SHOWN = (
    "Nothing to be done",
    "Terminating processes",
    "Will exit after finishing",
    "Complete log",
)
"""First words of Snakemake's messages that are useful to a user."""

SAID = ("RuleException", "WorkflowError: At least one job", "Exiting because a job")
"""First words of its errors that repeat what was shown when the job failed."""

LAST = 15
"""Number of lines shown from a failed job's log if it has no error message."""


class LogHandler(LogHandlerBase):
    """Shows Snakemake's events in a form useful to a user; dry runs keep Snakemake's own output."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Start without a plan."""
        settings = self.common_settings
        self.stream = sys.stdout if settings.stdout else sys.stderr
        self.plain = settings.dryrun
        quiet = set(settings.quiet or ())
        self.setFormatter(DefaultFormatter(quiet, settings.show_failed_logs))
        if self.plain:
            self.addFilter(DefaultFilter(quiet, settings.debug_dag, False, True, False))
        else:  # jobs write nothing to the terminal
            os.environ[WATCHED] = "1"
        self.cores = 1
        self.progress: RunProgress | None = None
        self.view: Bars | Lines = Lines(self.stream)
        self.logs: dict[int, list[str]] = {}
        self.failed = 0
        self.begun = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Show an event to the user."""
        try:
            if self.plain:
                self.view.line(self.format(record))
            else:
                self._show(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Remove the bars and report how the run ended."""
        self.view.stop()
        if self.progress is not None:
            self._end(self.progress)
            self.progress = None
        super().close()

    def _show(self, record: logging.LogRecord) -> None:
        facts = vars(record)
        event = facts.get("event")
        if event == LogEvent.RESOURCES_INFO:
            self.cores = facts.get("cores") or self.cores
        elif event == LogEvent.RUN_INFO and "stats" in facts:
            self._plan(facts["stats"])
        elif event == LogEvent.JOB_INFO:
            self._start(facts)
        elif event == LogEvent.JOB_FINISHED:
            self._finish(facts["job_id"])
        elif event == LogEvent.JOB_ERROR:
            self._fail(facts)
        elif record.levelno >= logging.WARNING or str(record.msg).startswith(SHOWN):
            text = self.format(record).strip()
            if not re.sub(r"\s+", " ", text).startswith(SAID):
                self.view.line(text)

    def _minutes(self) -> float:
        return (time.monotonic() - self.begun) / 60

    def _plan(self, stats: dict[str, int]) -> None:
        planned = {rule: jobs for rule, jobs in stats.items() if rule not in {"total", "all"}}
        minutes = minutes_of(COSTS)
        self.progress = RunProgress(planned, chapters_of(WORKFLOW / "rules"), minutes, self.cores)
        self.begun = time.monotonic()
        words = f"{count(self.progress.steps, 'step')} on {count(self.cores, 'core')}"
        if (expected := self.progress.expected()) is not None:
            words += f": {about(expected)} for sections like the bundled ones"
        self.view.line(f"{words}.")
        self.view.line("Ctrl-C is safe: run the same command again to continue.")
        if self.stream.isatty():
            self.view = Bars(self.stream, self.progress, self._minutes)

    def _start(self, facts: dict[str, Any]) -> None:
        if self.progress and facts["rule_name"] != "all":
            message = facts["rule_msg"] or facts["rule_name"]
            self.logs[facts["jobid"]] = list(facts["log"])
            self.progress.start(facts["jobid"], facts["rule_name"], message)
            self.view.begin(self.progress, message)

    def _finish(self, job: int) -> None:
        if self.progress and job in self.progress.running:
            message = self.progress.running[job][1]
            self.progress.finish(job)
            for warning in warnings_in(self.logs.pop(job, [])):
                self.view.line(f"{message}: {warning}")
            self.view.done(self.progress, self._minutes())

    def _fail(self, facts: dict[str, Any]) -> None:
        if self.progress:
            message = self.progress.fail(facts["jobid"]) or facts["rule_name"]
            logs = facts["log"]
            self.failed += 1
            for line in [f"FAILED: {message}", *sentences_in(logs), f"log: {', '.join(logs)}"]:
                self.view.line(line)

    def _end(self, progress: RunProgress) -> None:
        done = f"{progress.finished} of {progress.steps} steps in {duration(self._minutes())}"
        if self.failed:
            self.view.line(
                f"{done}; {self.failed} failed, see above. What does not depend on them is done; "
                "fix the problem, then run the same command again to continue."
            )
        else:
            self.view.line(f"{done}.")


def _lines(logs: Iterable[str]) -> list[str]:
    paths = [Path(path) for path in logs]
    texts = [path.read_text(errors="replace") for path in paths if path.is_file()]
    return [line for text in texts for line in text.splitlines()]


def warnings_in(logs: Iterable[str]) -> list[str]:
    """Return the job's own warnings in its logs."""
    return [line.partition("WARNING: ")[2] for line in _lines(logs) if ": WARNING: " in line]


def sentences_in(logs: Iterable[str]) -> list[str]:
    """Return a failed job's error message and what follows it, or the last lines of its logs."""
    lines = _lines(logs)
    found = [number for number, line in enumerate(lines) if ": ERROR: " in line]
    if not found:
        return lines[-LAST:]
    sentence = lines[found[-1]].partition(": ERROR: ")[2]
    return [sentence, *lines[found[-1] + 1 :][-LAST:]]
