"""A table of measurements, printed as they come."""

from pathlib import Path

import pandas as pd

from sagefm.common.io import read_table, write_table


class Table:
    """Rows `name, value, unit, detail`; `targets` of some names (at least, or at most) are shown.

    A value is None where it could not be measured; `detail` then says why.
    """

    def __init__(self, targets: dict[str, str] | None = None) -> None:
        self.rows: list[dict] = []
        self.targets = targets or {}

    def add(self, name: str, value: float | None, unit: str, detail: str = "") -> None:
        """Add a row."""
        self.rows.append({"name": name, "value": value, "unit": unit, "detail": detail})
        shown = "-" if value is None else f"{value:.5g}"
        target = f"{self.targets.get(name, ''):>10} " if self.targets else ""
        print(f"{name:36} {shown:>12} {target}{unit:10} {detail}", flush=True)

    def write(self, path: Path, *, whole: bool = False) -> None:
        """Write the rows as TSV; others that the file has stay, unless these are the `whole`."""
        new = pd.DataFrame(self.rows)
        if path.exists() and not whole:
            old = read_table(path)
            new = pd.concat([old[~old["name"].isin(new["name"])], new])
        write_table(new, path)
