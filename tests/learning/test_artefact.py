import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import KEY, Artefact, align, decode, encode, read, write
from coordinator.signals.feature_schema import FeatureSchema


def artefact(**about):
    tensors = {"b": torch.arange(3.0), "a": torch.eye(2, dtype=torch.float64)}
    return Artefact("lstm", FeatureSchema(("x", "y"), 1), tensors, about)


def test_equal_artefacts_are_equal_files(tmp_path):
    one = write(artefact(loss=0.5, name="n"), tmp_path / "one.safetensors")
    two = write(artefact(name="n", loss=0.5), tmp_path / "two.safetensors")
    assert one == two
    assert one != write(artefact(loss=0.6), tmp_path / "three.safetensors")
    assert read(tmp_path / "one.safetensors").about == {"loss": 0.5, "name": "n"}
    assert not list(tmp_path.glob("*.part"))


def test_the_schema_hash_says_names_order_and_version():
    hashes = [
        FeatureSchema(*s).hash for s in ((("x", "y"), 1), (("y", "x"), 1), (("x", "y"), 2), (("xy",), 1))
    ]
    assert len(set(hashes)) == 4
    assert FeatureSchema(("x", "y"), 1).hash == hashes[0]


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_and_nothing_else_happens(data):
    with pytest.raises(CoordinatorError):
        decode(data)


@given(cut=st.integers(0, 400))
def test_a_cut_file_is_refused(cut):
    data = encode(artefact())
    with pytest.raises(CoordinatorError):
        decode(data[: min(cut, len(data) - 1)])


def test_a_file_of_another_format_or_a_forged_schema_is_refused(tmp_path):
    with pytest.raises(CoordinatorError, match="safetensors file of this package"):
        decode(save({"a": torch.zeros(1)}))
    described = {
        "format": 1, "kind": "lstm", "features": ["x"], "features_version": 1, "features_hash": "", "about": {}
    }  # fmt: skip
    with pytest.raises(CoordinatorError, match="'format'"):
        decode(save({"a": torch.zeros(1)}, {KEY: json.dumps(described)}))
    with pytest.raises(CoordinatorError, match="fit its features"):
        decode(save({"a": torch.zeros(1)}, {KEY: json.dumps({**described, "format": 2})}))
    with pytest.raises(CoordinatorError, match="exist"):
        read(tmp_path / "nothing.safetensors")


@given(st.permutations(list("abcde")), st.integers(0, 3))
def test_columns_align_by_name(names, missing):
    schema = FeatureSchema(("a", "c", "e"), 1)
    table = np.array([ord(name) for name in names])
    assert [chr(c) for c in table[align(schema, names, "a table")]] == ["a", "c", "e"]
    short = [name for name in names if name not in "ace"[:missing]]
    if missing:
        with pytest.raises(CoordinatorError, match=f"hold {', '.join('ace'[:missing])}"):
            align(schema, short, "a table")
