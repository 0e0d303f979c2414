"""Threads of this process's libraries, in a module that a process started by a test can import."""

import numpy  # noqa: F401
import scipy.linalg  # noqa: F401
from threadpoolctl import threadpool_info


def blas_threads() -> set[int]:
    """Return the numbers of threads of numpy's BLAS and of scipy's."""
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
