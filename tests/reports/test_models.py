"""Models in the report: figures by name, the weightiest features first, dashes for what is not known."""

from coordinator.ledger.feature_store import FeatureSchema
from coordinator.ledger.registry import Model, ModelInfo
from coordinator.reports.models import (
    MODELS_HEAD,
    attention_rows,
    confidence_row,
    importance_rows,
    model_rows,
)


def model(name, status, **metrics):
    info = ModelInfo(
        name=name,
        kind="lightgbm",
        trained_from=0,
        trained_until=1_700_000_000,
        label_horizon=48,
        candle_seconds=3600,
        features=FeatureSchema("1", ("a", "b")),
        metrics=metrics,
        file="x.txt",
        file_hash="0",
    )
    return Model(1, info, status, "kept current model")


QUALITY = model(
    "quality",
    "champion",
    accuracy=0.54,
    auc=0.551,
    gap=0.1,
    importance_gain={"a": 1.0, "b": 3.0},
    importance_permutation={"a": 0.01, "b": None},
    confidence=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
)
LSTM = model("lstm", "retired", challenger_auc=0.52, judged_log_loss=0.69, judged_prior_log_loss=None)


def test_figures_stand_under_their_heads():
    (name, cells), (_, others) = model_rows([QUALITY, LSTM])
    assert name == "quality (lightgbm)"
    found = dict(zip(MODELS_HEAD, cells, strict=True))
    assert found["AUC"] == "0.5510"
    assert found["Accuracy"] == "0.5400"
    assert (found["Status"], found["Trained until"]) == ("champion", "2023-11-14")
    assert found["Verdict"] == "kept current model"
    found = dict(zip(MODELS_HEAD, others, strict=True))
    assert (found["AUC"], found["Log loss"], found["of the prior"]) == ("0.5200", "0.6900", "–")


def test_the_newest_model_that_has_importances_shows_them_weightiest_first():
    assert importance_rows([QUALITY, LSTM]) == [("b", ["0.750", "–"]), ("a", ["0.250", "0.0100"])]
    assert importance_rows([LSTM]) == []
    newer = model("quality", "retired", importance_gain={f"f{number}": number for number in range(20)})
    names = [name for name, _ in importance_rows([QUALITY, newer])]
    assert names == [f"f{number}" for number in range(19, 4, -1)]  # fifteen
    assert confidence_row([QUALITY, LSTM])[3] == "0.400"
    assert confidence_row([]) == []
    looked = model("attention", "champion", attention_features={"a": 0.2, "b": 0.8})
    assert attention_rows([looked, LSTM]) == [("b", ["0.800"]), ("a", ["0.200"])]
    assert attention_rows([QUALITY]) == []
