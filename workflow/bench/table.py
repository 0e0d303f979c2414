"""A table of measurements that prints each row as it is added."""

from pathlib import Path

import pandas as pd

from sagefm.common.io import read_table, write_table

RATES = ("/s",)
"""Ends of units for which higher is better; for all others lower is better."""


class Table:
    """Rows `name, value, unit, limit, ratio, detail`; `targets` (at least, at most) are printed.

    A value is None if it could not be measured; `detail` then says why. `limit` is the best
    possible value on this processor, and `ratio` the fraction of it that was reached: None without
    a limit.
    """

    def __init__(self, targets: dict[str, str] | None = None) -> None:
        self.rows: list[dict] = []
        self.targets = targets if targets is not None else {}

    def add(
        self,
        name: str,
        value: float | None,
        unit: str,
        detail: str = "",
        limit: float | None = None,
    ) -> None:
        """Add a row and print it."""
        ratio = None
        if value is not None and limit is not None:
            ratio = value / limit if unit.endswith(RATES) else limit / value
        row = {"name": name, "value": value, "unit": unit, "limit": limit, "ratio": ratio}
        self.rows.append(row | {"detail": detail})
        shown = "-" if value is None else f"{value:.5g}"
        reached = "" if ratio is None else f"{ratio:.2f} of {limit:.5g}"
        target = f"{self.targets.get(name, ''):>10} "
        print(f"{name:36} {shown:>12} {target}{unit:10} {reached:18} {detail}", flush=True)

    def write(self, path: Path, *, whole: bool = False) -> None:
        """Write the rows as TSV; other rows of the file are kept unless `whole` is set."""
        new = pd.DataFrame(self.rows)
        if path.exists() and not whole:
            old = read_table(path)
            new = pd.concat([old[~old["name"].isin(new["name"])], new])
        write_table(new, path)
