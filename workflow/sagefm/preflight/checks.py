"""A line of the preflight: what was checked, and what to fix if it would fail later."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

OK, FIX = "ok", "fix this"


@dataclass(frozen=True)
class Check:
    """What was checked, the finding, and the fix, which is empty if all is well."""

    what: str
    found: str
    remedy: str = ""

    @property
    def verdict(self) -> str:
        """Return `ok` or `fix this`."""
        return FIX if self.remedy else OK


def checks_table(checks: Sequence[Check]) -> pd.DataFrame:
    """Return columns check, verdict, found, remedy, starting with those to fix."""
    rows = [asdict(check) | {"verdict": check.verdict} for check in checks]
    table = pd.DataFrame(rows, columns=["what", "verdict", "found", "remedy"])
    table = table.rename(columns={"what": "check"})
    return table.sort_values("verdict", kind="stable", ignore_index=True)


def as_text(table: pd.DataFrame) -> str:
    """Format the table for a terminal: one line per check, followed by the fix."""
    width = max((len(name) for name in table["check"]), default=0)
    lines = []
    for row in table.itertuples(index=False):
        lines.append(f"{row.verdict:<8}  {row.check:<{width}}  {row.found}".rstrip())
        if row.remedy:
            lines.append(f"{'':8}  {'':{width}}  -> {row.remedy}")
    return "\n".join(lines)
