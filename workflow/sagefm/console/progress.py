"""Progress of a run: its jobs by chapter, the running ones, and the remaining time."""

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ESTIMABLE = 0.03
"""Share of the work after which the remaining time is estimated from the run's own speed."""


def chapters_of(rules: Path) -> dict[str, str]:
    """Map each rule to its chapter: the name of its file in `rules`, without suffix."""
    return {
        rule: path.stem
        for path in sorted(rules.glob("*.smk"))
        for rule in re.findall(r"^rule (\w+):", path.read_text(), re.M)
    }


def minutes_of(costs: Path) -> dict[str, float]:
    """Read core minutes per job of each rule from a table of costs; empty if there is no table."""
    if not costs.exists():
        return {}
    with costs.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {row["rule"]: float(row["cpu_minutes"]) / int(row["jobs"]) for row in rows}


def duration(minutes: float) -> str:
    """Write a duration in words: `less than a minute`, `7 minutes`, `3 h 20 min`."""
    whole = round(minutes)
    if whole < 1:
        return "less than a minute"
    if whole < 90:
        return f"{whole} minute{'s' if whole > 1 else ''}"
    return f"{whole // 60} h {whole % 60:02d} min"


def about(minutes: float) -> str:
    """Write an estimated duration in words: `about 7 minutes`."""
    words = duration(minutes)
    return words if words.startswith("less") else f"about {words}"


@dataclass
class RunProgress:
    """The jobs of a run.

    Attributes
    ----------
    planned
        Number of jobs of each rule.
    chapters
        Chapter of each rule. A rule without one is its own chapter.
    minutes
        Core minutes of a job of each rule, on sections like the bundled ones. Unknown rules count
        as the median.
    cores
        Number of cores that the run may use.
    """

    planned: Mapping[str, int]
    chapters: Mapping[str, str]
    minutes: Mapping[str, float]
    cores: int = 1
    running: dict[int, tuple[str, str]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def start(self, job: int, rule: str, message: str) -> None:
        """Record that a job has begun."""
        self.running[job] = rule, message

    def finish(self, job: int) -> None:
        """Record that a job has succeeded; ignore it if it never began."""
        if job in self.running:
            rule, _ = self.running.pop(job)
            self.done[rule] += 1

    def fail(self, job: int) -> str:
        """Record that a job has failed and return its message."""
        return self.running.pop(job, ("", ""))[1]

    @property
    def steps(self) -> int:
        """Total number of jobs."""
        return sum(self.planned.values())

    @property
    def finished(self) -> int:
        """Number of jobs that have succeeded."""
        return sum(self.done.values())

    def by_chapter(self) -> dict[str, tuple[int, int]]:
        """Return finished and total jobs of each chapter, in the order of the plan."""
        found: dict[str, tuple[int, int]] = {}
        for rule, jobs in self.planned.items():
            chapter = self.chapters.get(rule, rule)
            done, total = found.get(chapter, (0, 0))
            found[chapter] = done + self.done[rule], total + jobs
        return found

    def expected(self) -> float | None:
        """Predict the run's minutes on sections like the bundled ones; None without timed jobs."""
        return self._work(self.planned) / self.cores if self.minutes else None

    def left(self, elapsed: float) -> float | None:
        """Return the minutes remaining after `elapsed` minutes; None if it is too early to say."""
        work, done = self._work(self.planned), self._work(self.done)
        if done <= ESTIMABLE * work:
            expected = self.expected()
            return None if expected is None else max(expected - elapsed, 0)
        return elapsed * (work - done) / done

    def _work(self, jobs: Mapping[str, int]) -> float:
        known = sorted(self.minutes.values()) or [1.0]
        usual = known[len(known) // 2]
        return sum(self.minutes.get(rule, usual) * count for rule, count in jobs.items())
