"""The numbers that evidence is compared with; their values stand in conf/callbacks/health."""

from dataclasses import dataclass, fields

from ganstyle.values import number, whole


@dataclass(frozen=True)
class Limits:
    """Thresholds of the verdicts; see `Evidence` for what they are compared with.

    Raises:
        ConfigError: a value is no number of at least zero.
    """

    patience: int
    """Looks in a row that must agree before something lasting is named."""
    warm_up: int
    """Looks at the start of a run that are not judged, because networks begin with odd pictures."""
    sure: int | float
    """A discriminator whose surprise stays below has won."""
    right: int | float
    """Accuracy on real and on generated images above which it may have won."""
    fooled: int | float
    """A discriminator whose surprise stays above is fooled, so that the generator has won."""
    spread: int | float
    """Generated images that differ less than this share of what targets do are one and the same."""
    change: int | float
    """Generated images that differ less than this from their sources are their sources."""
    contrast: int | float
    """Generated images with less than this share of the targets' contrast are constant."""
    exploding: int | float
    """A gradient of so many times the usual norm explodes."""
    steep: int | float
    """A gradient of so many times the weights' norm explodes."""
    vanishing: int | float
    """A gradient of less than this share of the weights' norm vanishes."""
    nearness: int | float
    """Images generated from held-out sources that come so much nearer to training targets than held-out ones do are
    remembered."""
    overfitting: int | float
    """A discriminator that has come so far in taking held-out targets for generated ones knows its few by heart."""
    attentive: int | float
    """Surprise below which a discriminator tells targets from generated images well enough to be asked about others."""
    distinct: int | float
    """Targets of which a smaller share is seen once only are too few."""

    def __post_init__(self) -> None:
        whole("callbacks.health.limits.patience", self.patience, least=1)
        whole("callbacks.health.limits.warm_up", self.warm_up, least=0)
        for field in fields(self):
            number(f"callbacks.health.limits.{field.name}", getattr(self, field.name), least=0)
