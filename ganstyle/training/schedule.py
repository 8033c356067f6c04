"""Learning rate as a function of images seen, in closed form."""

from ganstyle.errors import ConfigError
from ganstyle.values import number


def constant_then_linear(images: int, total: int, decay_from: float) -> float:
    """Factor of the learning rate: 1 up to the share `decay_from` of the run, then linear to 0 at its end.

    pix2pix and CycleGAN train 100 epochs at a constant rate and 100 with a linear decay: `decay_from=0.5`.
    It counts images, not optimizer steps, so that neither the batch size nor the number of players moves it.

    Source: Isola et al. 2017 and Zhu et al. 2017, training details.
    """
    start = decay_from * total
    if images <= start:
        return 1.0
    return max(0.0, (total - images) / (total - start))


def check_decay(decay_from: object) -> float:
    """Return the share at which the decay begins, or say why it cannot be one."""
    share = number("system.decay_from", decay_from, least=0)
    if share > 1.0:
        raise ConfigError(
            f"system.decay_from is the share of the run before the decay, from 0 to 1, but got {decay_from}."
        )
    return share
