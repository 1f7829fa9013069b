"""Several networks, of other seeds and label horizons, as one model that is the less sure the less they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import Artefact, align
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.learning.class_health import class_figures, confidence_quantiles
from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.complete_rows import complete_windows
from coordinator.learning.ensemble.disagreement import disagreement, doubted
from coordinator.learning.labels import CLASSES, class_numbers
from coordinator.learning.reliability import ece
from coordinator.settings.learning import LearningSettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Bools, Floats, Ints

__all__ = ["NetworkEnsemble", "NetworkModel", "network_model"]

SUFFIX = " ensemble"  # of its kind, behind the network's name


class NetworkEnsemble:
    """HOLD/BUY/SELL probabilities of several networks together: one for each of ``settings.members``.

    The members learn from the same rows, which the longest horizon's labels purge, and each has its own temperature.
    Their mean probability is mixed with 1/3 for each class as far as they disagree (``disagreement.doubted``).

    Parameters
    ----------
    settings : LearningSettings
    network : str
        Name of the network in ``NETWORKS``.

    Attributes
    ----------
    members : tuple of SequenceClassifier
    schema_ : FeatureSchema
    metrics_ : dict of str to float
        As a SequenceClassifier's but without ``..._untempered``, of what the ensemble says about the labels of
        ``label_horizon``; ``temperature`` is the members' mean. Beside them ``disagreement``, mean on the validation
        slice, and ``member_log_loss``, mean of the members' alone on the same labels.
    details_ : dict
        As a SequenceClassifier's.
    """

    def __init__(self, settings: LearningSettings, network: str = "lstm") -> None:
        self.settings, self.network = settings, network
        self.members = tuple(SequenceClassifier(own, network) for own in settings.members)

    @property
    def kind(self) -> str:
        """Of its files."""
        return self.network + SUFFIX

    def fit_pooled(
        self,
        blocks: Sequence[Block],
        schema: FeatureSchema | None = None,
        previous: NetworkEnsemble | None = None,
    ) -> NetworkEnsemble:
        """Fit each member on the rows of several pairs, one after the other; see ``SequenceClassifier.fit_pooled``.

        Parameters
        ----------
        blocks : sequence of Block
            With labels of every horizon of the settings.
        previous : NetworkEnsemble, optional
            Whose members' weights are the start of these, if it has as many.

        Raises
        ------
        CoordinatorError
            If a block lacks labels of a horizon.
        TooFewRowsError
            As ``SequenceClassifier.fit_pooled``.
        """
        before = previous.members if previous is not None else ()
        for i, member in enumerate(self.members):
            own = [self._labelled(block, member.settings.label_horizon) for block in blocks]
            member.fit_pooled(own, schema, before[i] if len(before) == len(self.members) else None)
        self.schema_ = self.members[0].schema_
        self._measure(blocks)
        return self

    def predict_proba(self, features: Floats, names: Sequence[str] | None = None) -> tuple[Floats, Bools]:
        """Class probabilities of every row, less what the members' disagreement takes; as a SequenceClassifier's."""
        if names is not None:
            features = features[:, align(self.schema_, names, f"the table of the network '{self.network}'")]
        usable = complete_windows(features, self.settings.sequence_length)
        return self.columns(features)[:, : len(CLASSES)], usable

    def columns(self, features: Floats) -> Floats:
        """The probabilities of every row, and the members' disagreement beside them; shape (n, 4), NaN as there."""
        ends = np.flatnonzero(complete_windows(features, self.settings.sequence_length))
        out = np.full((len(features), len(CLASSES) + 1), np.nan)
        if len(ends):
            out[ends] = _joined(self._each(features, ends))
        return out

    def attention(self, features: Floats) -> dict[str, dict[str, float]]:
        """Mean of the members' attention, as theirs."""
        each = [member.attention(features) for member in self.members]
        return {
            key: {name: float(np.mean([own[key][name] for own in each])) for name in shares}
            for key, shares in each[0].items()
        }

    def to_artefact(self) -> Artefact:
        """The fitted models as data, for ``artefact.write``: one file, a prefix for each member."""
        parts = [member.to_artefact() for member in self.members]
        tensors = {
            f"{_prefix(i)}{name}": value
            for i, part in enumerate(parts)
            for name, value in part.tensors.items()
        }
        about: dict[str, Any] = {
            "settings": self.settings.model_dump(mode="json"),
            "metrics": self.metrics_,
            "members": [part.about for part in parts],
        }
        return Artefact(self.kind, self.schema_, tensors, about)

    @classmethod
    def from_artefact(cls, artefact: Artefact) -> NetworkEnsemble:
        """Inverse of ``to_artefact``.

        Raises
        ------
        CoordinatorError
            For a file of another kind of model.
        """
        if not artefact.kind.endswith(SUFFIX):
            raise CoordinatorError("kind", "a model file", f"end in '{SUFFIX}'", artefact.kind)
        network = artefact.kind.removesuffix(SUFFIX)
        model = cls(LearningSettings.model_validate(artefact.about["settings"]), network)
        members = []
        for i, about in enumerate(artefact.about["members"]):
            own = {
                name.removeprefix(_prefix(i)): tensor
                for name, tensor in artefact.tensors.items()
                if name.startswith(_prefix(i))
            }
            members.append(SequenceClassifier.from_artefact(Artefact(network, artefact.schema, own, about)))
        model.members = tuple(members)
        model.schema_, model.metrics_ = artefact.schema, dict(artefact.about["metrics"])
        return model

    def _labelled(self, block: Block, horizon: int) -> Block:
        """The block with a member's labels."""
        if horizon == self.settings.label_horizon:
            return block
        if horizon not in block.further_labels:
            rule, known = f"hold labels of {horizon} candles", sorted(block.further_labels)
            raise CoordinatorError("further_labels", "a training block", rule, known)
        return replace(block, labels=block.further_labels[horizon])

    def _each(self, features: Floats, ends: Ints) -> Floats:
        """Each member's probabilities of rows that end complete sequences, shape (n_members, n, 3)."""
        return np.stack([member.predict_ends(features, ends) for member in self.members])

    def _measure(self, blocks: Sequence[Block]) -> None:
        s = self.settings
        data = pool(blocks, s.longest_horizon)
        split = split_by_time(data, s.sequence_length, s.validation_share, s.promotion_share)
        classes = class_numbers(data.labels)
        newest, truth = split.train[-len(split.validation) :], classes[split.validation]
        each = self._each(data.features, split.validation)
        joined, seen = _joined(each), _joined(self._each(data.features, newest))
        p, seen_p = joined[:, :-1], seen[:, :-1]
        first = self.members[0]
        shared = (
            "rows_train",
            "rows_validation",
            "prior_log_loss",
            "feature_drift",
        )  # the members' rows are the same
        self.metrics_ = {
            **{name: first.metrics_[name] for name in shared},
            "temperature": float(np.mean([member.temperature_ for member in self.members])),
            "log_loss": _log_loss(p, truth),
            "member_log_loss": float(np.mean([_log_loss(own, truth) for own in each])),
            "calibration_error": ece(p.max(axis=1), p.argmax(axis=1) == truth),
            "disagreement": float(joined[:, -1].mean()),
            **class_figures(seen_p, classes[newest], p, truth),
        }
        self.details_: dict[str, Any] = {
            "drifted": first.details_["drifted"],
            "confidence": confidence_quantiles(p),
        }


NetworkModel = SequenceClassifier | NetworkEnsemble


def network_model(settings: LearningSettings, network: str) -> NetworkModel:
    """One network, or the ensemble that the settings ask for; not fitted yet."""
    if len(settings.members) == 1:
        return SequenceClassifier(settings, network)
    return NetworkEnsemble(settings, network)


def _joined(each: Floats) -> Floats:
    """What the members say together, and how far they disagree; shape (n, n_classes + 1)."""
    doubt = disagreement(each)
    return np.column_stack((doubted(each.mean(axis=0), doubt), doubt))


def _log_loss(p: Floats, classes: Ints) -> float:
    own = np.take_along_axis(p, classes[:, None], axis=1)
    return -float(np.log(np.maximum(own, np.finfo(np.float64).tiny)).mean())


def _prefix(member: int) -> str:
    return f"member_{member}."
