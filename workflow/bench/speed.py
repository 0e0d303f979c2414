"""Compare speed and size with the released implementation, processor limits and targets.

Writes results/bench/bench.tsv. Parts that are not named keep their rows in the file.
"""

import argparse
import sys

import torch

from bench import registry
from bench.dry_run import REPO
from bench.machine import busy_now, this_machine
from bench.table import Table


def main() -> None:
    """Measure and print each part, and write the table after each."""
    parts = registry.names()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(parts)}; default: all")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--distinct", type=int, default=24, help="sections generated for `million`")
    parser.add_argument("--busy", action="store_true", help="measure even if the machine is busy")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; the parts are {', '.join(parts)}")
    busy = busy_now()
    if busy and not options.busy:
        sys.exit(f"{busy}. Fix: wait until it is idle, or use `--busy` to measure anyway.")
    table = Table()
    where = f"{this_machine()}, {options.threads} threads"
    table.add("machine", options.threads, "threads", f"{where}; {busy}" if busy else where)
    for name in options.parts or parts:
        registry.measure(name, options, table)
        table.write(REPO / "results/bench/bench.tsv")


if __name__ == "__main__":
    main()
