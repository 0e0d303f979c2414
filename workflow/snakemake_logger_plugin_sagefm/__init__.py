"""Snakemake's plugin of the console: `snakemake --logger sagefm`, as `make demo` calls it.

Snakemake imports its plugins whenever it starts, before it makes its cache.
"""

from sagefm.console.caches import keep_caches_here
from sagefm.console.handler import LogHandler

__all__ = ["LogHandler"]

keep_caches_here()
