"""Speed and size against the released way of computing, against limits, and against targets.

Writes results/bench/bench.tsv; parts that are not named keep the rows that the file has.
"""

import argparse
import sys

import torch

from bench import registry
from bench.dry_run import REPO
from bench.machine import busy_now, this_machine
from bench.table import Table


def main() -> None:
    """Measure, print, write after each part."""
    parts = registry.names()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts)}; all if none is named")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--distinct", type=int, default=24, help="sections made for the million")
    parser.add_argument("--busy", action="store_true", help="measure on a busy machine too")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; the parts are {', '.join(parts)}")
    busy = busy_now()
    if busy and not options.busy:
        sys.exit(f"{busy}. Fix: wait until it is quiet, or measure all the same by `--busy`.")
    table = Table()
    where = f"{this_machine()}, {options.threads} threads"
    table.add("machine", options.threads, "threads", f"{where}; {busy}" if busy else where)
    for name in options.parts or parts:
        registry.measure(name, options, table)
        table.write(REPO / "results/bench/bench.tsv")


if __name__ == "__main__":
    main()
