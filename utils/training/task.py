"""The interface between `run.run` and the tasks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from .objectives import Objective
from .validation import Validation


@dataclass
class Task:
    """A training task: data, network, loss and validation.

    Attributes:
        kind: "ps", "hmf" or "ivf".
        source: the training samples, a set of `data.patches`.
        build: function that returns a fresh network.
        objective: function from the network to its objective.
        validation: how the network is validated.
        validation_label: description of the validation data.
        label: description of the training data.
        loss_settings: settings of the loss that a resumed run must have in common with the original.
        expected_config: fields of the configuration, with their values, that weights to start from must have.
        given_to_authors_files: arguments (srf, base_rule) for loading files of the authors, which lack them.
        method: "dcinn", or one of `models.peers.PEERS`.
        patch: side of prepared patches, 64, or "64x32" for height and width; None is the recipe's.
        ratio: resolution ratio (hmf only).
    """

    kind: str
    source: object
    build: Callable[[], nn.Module]
    objective: Callable[[nn.Module], Objective]
    validation: Validation
    validation_label: str
    label: str
    loss_settings: list
    expected_config: dict
    given_to_authors_files: dict = field(default_factory=dict)
    method: str = "dcinn"
    patch: int | str | None = None
    ratio: int | None = None
