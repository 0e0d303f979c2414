"""Values that are read when they are asked for."""

import pytest

from sagefm.common.on_demand import OnDemand


def test_a_value_is_read_whenever_it_is_asked_for():
    asked = []

    def read(source: int) -> int:
        asked.append(source)
        return source * 10

    values = OnDemand({"one": 1, "two": 2}, read)
    assert list(values) == ["one", "two"] and len(values) == 2 and asked == []
    assert values["two"] == values["two"] == 20 and asked == [2, 2]
    with pytest.raises(KeyError):
        values["three"]
