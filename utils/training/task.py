"""What `run.run` needs of a task."""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from .objectives import Objective
from .validation import Validation


@dataclass
class Task:
    """What is trained on, what is trained, by which loss, and how it is judged.

    Attributes:
        kind: "ps", "hmf" or "ivf".
        source: a set of `data.patches`.
        build: the fresh network.
        objective: network -> loss.
        validation, validation_label: how it is judged, on what.
        label: where the samples are from.
        loss_settings: what a resumed run must share, beside the recipe.
        expected_config: fields of the configuration that weights to start from must have.
        given_to_authors_files: srf or base_rule, which the authors' files lack.
        method: "dcinn", or one of `models.peers`.
        patch: side of the patches, where it is that of prepared ones; None: the recipe's.
        ratio: of the resolutions (hmf).
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
