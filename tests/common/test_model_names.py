"""Display names of models: the publication and a model never share one."""

import pandas as pd

from sagefm.common.model_names import model_title, model_titles, name_models


def test_a_model_goes_by_its_title_or_is_called_a_model():
    titles = model_titles({"paper": {"title": "SAGE-FM (paper's recipe)"}, "mine": {"title": None}})
    assert model_title("paper", titles) == "SAGE-FM (paper's recipe)"
    assert model_title("mine", titles) == "model mine"
    assert model_title("paper") == "model paper"


def test_a_title_of_several_models_has_the_model_too():
    titles = model_titles({"a": {"title": "longer"}, "b": {"title": "longer"}, "c": {"title": "c"}})
    assert titles == {"a": "longer [a]", "b": "longer [b]", "c": "c"}


def test_tables_are_shown_with_titles_and_kept_with_names():
    table = pd.DataFrame({"model": ["b", "a"], "score": [1, 2]})
    assert name_models(table, {"b": "light model"})["model"].tolist() == ["light model", "model a"]
    assert table["model"].tolist() == ["b", "a"]
