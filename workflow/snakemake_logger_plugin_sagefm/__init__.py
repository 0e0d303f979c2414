"""Snakemake's plugin of the console: `snakemake --logger sagefm`, as `make demo` calls it."""

from sagefm.console.handler import LogHandler

__all__ = ["LogHandler"]
