"""Snakemake's plugin of the console: `snakemake --logger sagefm`, as `make demo` calls it.

Snakemake imports its plugins whenever it starts, before it makes its cache or reads a config.
"""

import sys

from sagefm.console.caches import keep_caches_here
from sagefm.console.config_files import refuse_unreadable_configs
from sagefm.console.handler import LogHandler

__all__ = ["LogHandler"]

keep_caches_here()
refuse_unreadable_configs(sys.argv[1:])
