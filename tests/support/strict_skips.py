"""In CI, a skipped test fails unless its reason says that it needs a GPU.

A test skipped because a tool or file is missing would otherwise go unnoticed. The rule applies if
the environment has `CI=true`; elsewhere, skips stay skips.
"""

import os

import pytest


def _refuse_skip(report: pytest.CollectReport | pytest.TestReport) -> None:
    """Turn a skip that CI does not allow into a failure that names its reason.

    An expected failure (`xfail`) is also reported as skipped, and is not changed.
    """
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if "GPU" not in reason:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, which CI does not allow: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Check the skip of one test."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    """Check the skip of a whole module."""
    report = yield
    _refuse_skip(report)
    return report
