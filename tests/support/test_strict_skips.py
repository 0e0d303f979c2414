"""The rule about skipped tests, tried on small test files."""

import pytest

pytest_plugins = ["pytester"]

SUITE = """
    import pytest

    def test_passes():
        pass

    @pytest.mark.skip(reason="needs a GPU")
    def test_gpu():
        pass

    @pytest.mark.skipif(True, reason="no table here")
    def test_marked():
        pass

    def test_inside():
        pytest.skip("no tool here")

    @pytest.mark.xfail(reason="known")
    def test_expected_failure():
        assert False

    @pytest.fixture
    def missing():
        pytest.skip("no file here")

    def test_fixture(missing):
        pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch) -> pytest.Pytester:
    """A folder whose conftest loads the plugin, as in this repository."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # as in pyproject.toml
    pytester.makeconftest('pytest_plugins = ["support.strict_skips"]')
    return pytester


def test_ci_fails_skips_that_need_no_gpu(suite, monkeypatch):
    monkeypatch.setenv("CI", "true")
    suite.makepyfile(SUITE)
    result = suite.runpytest()
    # A skip in a fixture counts as an error in set-up, as any failure there.
    result.assert_outcomes(passed=1, skipped=1, xfailed=1, failed=1, errors=2)
    for reason in ("no table here", "no tool here", "no file here"):
        result.stdout.fnmatch_lines([f"*was skipped, which CI does not allow: *{reason}*"])


@pytest.mark.parametrize("reason, failures", [("no library here", 1), ("no GPU here", 0)])
def test_ci_fails_a_skipped_module(suite, monkeypatch, reason, failures):
    monkeypatch.setenv("CI", "true")
    suite.makepyfile(f"import pytest\npytest.skip({reason!r}, allow_module_level=True)")
    suite.runpytest().assert_outcomes(errors=failures, skipped=1 - failures)


@pytest.mark.parametrize("value", [None, "false"])
def test_elsewhere_skips_stay_skips(suite, monkeypatch, value):
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    suite.makepyfile(SUITE)
    suite.runpytest().assert_outcomes(passed=1, skipped=4, xfailed=1)
