"""How far a run has come: its jobs by chapter, what is running, the time that is left."""

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ESTIMABLE = 0.03
"""Share of the work after which a run's own speed says how long the rest takes."""


def chapters_of(rules: Path) -> dict[str, str]:
    """The chapter of each rule: the file of `rules` that has it, without its ending."""
    return {
        rule: path.stem
        for path in sorted(rules.glob("*.smk"))
        for rule in re.findall(r"^rule (\w+):", path.read_text(), re.M)
    }


def minutes_of(costs: Path) -> dict[str, float]:
    """Core minutes of one job of each rule in a table of costs; empty if there is no such table."""
    if not costs.exists():
        return {}
    with costs.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {row["rule"]: float(row["cpu_minutes"]) / int(row["jobs"]) for row in rows}


def duration(minutes: float) -> str:
    """A time for people: `less than a minute`, `7 minutes`, `3 h 20 min`."""
    whole = round(minutes)
    if whole < 1:
        return "less than a minute"
    if whole < 90:
        return f"{whole} minute{'s' if whole > 1 else ''}"
    return f"{whole // 60} h {whole % 60:02d} min"


def about(minutes: float) -> str:
    """An estimated time for people: `about 7 minutes`."""
    words = duration(minutes)
    return words if words.startswith("less") else f"about {words}"


@dataclass
class RunProgress:
    """The jobs of a run.

    Attributes
    ----------
    planned
        Jobs of each rule.
    chapters
        Chapter of each rule; a rule without one is a chapter itself.
    minutes
        Of one core for a job of each rule, on sections like the bundled ones; others count as the
        median.
    cores
        That the run may use.
    """

    planned: Mapping[str, int]
    chapters: Mapping[str, str]
    minutes: Mapping[str, float]
    cores: int = 1
    running: dict[int, tuple[str, str]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def start(self, job: int, rule: str, message: str) -> None:
        """A job has begun."""
        self.running[job] = rule, message

    def finish(self, job: int) -> None:
        """A job has ended well; one that never began is passed over."""
        if job in self.running:
            rule, _ = self.running.pop(job)
            self.done[rule] += 1

    def fail(self, job: int) -> str:
        """A job has failed: what it was about."""
        return self.running.pop(job, ("", ""))[1]

    @property
    def steps(self) -> int:
        """Jobs in all."""
        return sum(self.planned.values())

    @property
    def finished(self) -> int:
        """Jobs that have ended well."""
        return sum(self.done.values())

    def by_chapter(self) -> dict[str, tuple[int, int]]:
        """Jobs done and in all of each chapter, in the order of the plan."""
        found: dict[str, tuple[int, int]] = {}
        for rule, jobs in self.planned.items():
            chapter = self.chapters.get(rule, rule)
            done, total = found.get(chapter, (0, 0))
            found[chapter] = done + self.done[rule], total + jobs
        return found

    def expected(self) -> float | None:
        """Minutes of the whole run on sections like the bundled ones; None if no job was timed."""
        return self._work(self.planned) / self.cores if self.minutes else None

    def left(self, elapsed: float) -> float | None:
        """Minutes that are left after `elapsed` minutes; None while it is too early to say."""
        work, done = self._work(self.planned), self._work(self.done)
        if done <= ESTIMABLE * work:
            expected = self.expected()
            return None if expected is None else max(expected - elapsed, 0)
        return elapsed * (work - done) / done

    def _work(self, jobs: Mapping[str, int]) -> float:
        known = sorted(self.minutes.values()) or [1.0]
        usual = known[len(known) // 2]
        return sum(self.minutes.get(rule, usual) * count for rule, count in jobs.items())
