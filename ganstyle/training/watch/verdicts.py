"""From a history of evidence to names: one small function for each thing that can go wrong."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median

from ganstyle.training.collapse import NonFiniteError
from ganstyle.training.watch.evidence import Evidence
from ganstyle.training.watch.limits import Limits
from ganstyle.training.watch.verdict import Verdict

History = Sequence[Evidence]
"""The looks of a run so far, the newest last; never empty."""
OFTEN = 2
"""Times the patience: the looks over which noisy evidence is averaged."""
Judge = Callable[[History, Limits], Verdict | None]


def judged(history: History, limits: Limits) -> list[Verdict]:
    """Name everything that is seen now; where something is no number, nothing else."""
    broken_now = non_finite(history, limits)
    found = [broken_now] if broken_now else [judge(history, limits) for judge in JUDGES.values()]
    return [verdict for verdict in found if verdict]


def non_finite(history: History, limits: Limits) -> Verdict | None:
    """A loss or a gradient is no longer a number."""
    newest = history[-1]
    norms = {f"gradient/{player}": norm for player, norm in newest.gradients.items()}
    bad = {name: value for name, value in {**newest.losses, **norms}.items() if not math.isfinite(value)}
    return _verdict("non-finite", history, bad, {}) if bad else None


def broken(images_seen: int, error: NonFiniteError) -> Verdict:
    """Word what a step itself noticed: a loss or a weight is no longer a number."""
    what = str(error).partition(";")[0]  # the rest is for the run's end
    return Verdict("non-finite", images_seen, error.values, {}, f"{what}; {ADVICE['non-finite']}")


def exploding_gradients(history: History, limits: Limits) -> Verdict | None:
    """A gradient is many times as large as it was before, or as the weights that it moves."""
    *before, newest = history
    for player, norm in newest.steepest.items():
        usual = {"usual": median(old.gradients[player] for old in before)} if before else {}
        values = {"gradient": norm, **usual, "weights": newest.weights[player]}
        sudden = before and norm > limits.exploding * values["usual"]
        if sudden or norm > limits.steep * values["weights"]:
            told = {f"{name}/{player}": value for name, value in values.items()}
            thresholds = {"exploding": limits.exploding, "steep": limits.steep}
            return _verdict("exploding-gradients", history, told, thresholds)
    return None


def vanishing_gradients(history: History, limits: Limits) -> Verdict | None:
    """A player's gradient is nothing beside its weights, so that it no longer moves."""
    for player in history[-1].gradients:
        shares = [look.gradients[player] / max(look.weights[player], 1e-30) for look in history[-limits.patience :]]
        if _lasting(history, limits) and max(shares) < limits.vanishing:
            values = {f"gradient/weights/{player}": shares[-1]}
            return _verdict("vanishing-gradients", history, values, {"vanishing": limits.vanishing})
    return None


def discriminator_won(history: History, limits: Limits) -> Verdict | None:
    """The discriminator is right about everything and sure of it: the generator learns nothing from it."""
    surprise, real, fake = (_recent(history, name, limits) for name in ("surprise", "real", "fake"))
    if not surprise or max(surprise) > limits.sure or min(*real, *fake) < limits.right:
        return None
    values = {"surprise": surprise[-1], "real": real[-1], "fake": fake[-1]}
    return _verdict("discriminator-won", history, values, {"sure": limits.sure, "right": limits.right})


def generator_won(history: History, limits: Limits) -> Verdict | None:
    """The discriminator does worse than a guess would: the generator needs to learn nothing."""
    surprise = _recent(history, "surprise", limits)
    if not surprise or min(surprise) < limits.fooled:
        return None
    newest = history[-1]
    accuracies = {"real": newest.real or 0.0, "fake": newest.fake or 0.0}
    return _verdict("generator-won", history, {"surprise": surprise[-1], **accuracies}, {"fooled": limits.fooled})


def constant_output(history: History, limits: Limits) -> Verdict | None:
    """Generated images have no contrast: each is of one color."""
    return _below("constant-output", "contrast", limits.contrast, history, limits)


def mode_collapse(history: History, limits: Limits) -> Verdict | None:
    """Generated images are all alike, whatever their sources, while targets are not."""
    return _below("mode-collapse", "spread", limits.spread, history, limits)


def identity_collapse(history: History, limits: Limits) -> Verdict | None:
    """Generated images are their sources."""
    return _below("identity-collapse", "change", limits.change, history, limits)


def memorising(history: History, limits: Limits) -> Verdict | None:
    """From sources never seen, pictures are generated that lie much nearer to training targets than new ones do."""
    values = [look.nearness for look in history[-OFTEN * limits.patience :] if look.nearness is not None]
    if not _lasting(history, limits) or len(values) < limits.patience or fmean(values) >= limits.nearness:
        return None
    return _verdict("memorising", history, {"nearness": fmean(values)}, {"nearness": limits.nearness})


def data_starved(history: History, limits: Limits) -> Verdict | None:
    """The same few targets come again and again, or the discriminator knows them from others by heart."""
    if found := _below("data-starved", "distinct", limits.distinct, history, limits):
        return found
    share, surprise = overfitting(history[-OFTEN * limits.patience :]), _recent(history, "surprise", limits)
    if share is None or share < limits.overfitting or not surprise or max(surprise) > limits.attentive:
        return None
    return _verdict("data-starved", history, {"overfitting": share}, {"overfitting": limits.overfitting})


def overfitting(history: History) -> float | None:
    """Return (D(train) - D(held out)) / (D(train) - D(generated)) of the mean logits; None where D tells none apart.

    0 where held-out targets look like training targets, 1 where they look generated. Source: Karras et al. 2020,
    "Training generative adversarial networks with limited data", eq. 1.
    """
    measured = [look.logits for look in history if "held_out" in look.logits]
    if not measured:
        return None
    real, fake, held_out = (fmean(logits[name] for logits in measured) for name in ("real", "fake", "held_out"))
    return (real - held_out) / (real - fake) if real > fake else None


JUDGES: Mapping[str, Judge] = {
    "exploding-gradients": exploding_gradients,
    "vanishing-gradients": vanishing_gradients,
    "constant-output": constant_output,
    "mode-collapse": mode_collapse,
    "identity-collapse": identity_collapse,
    "discriminator-won": discriminator_won,
    "generator-won": generator_won,
    "memorising": memorising,
    "data-starved": data_starved,
}
NAMES = ("non-finite", *JUDGES)
ADVICE: Mapping[str, str] = {
    "non-finite": "lower that player's learning rate or that term's weight, or train with trainer.precision=32.",
    "exploding-gradients": "lower that player's learning rate, or bound its gradient with system.clip=1.",
    "vanishing-gradients": "look for a saturated last layer, a frozen network or weights that are all zero, and "
    "raise the learning rate only if there is none.",
    "constant-output": "lower the generator's learning rate and start again, because a picture of one color gives no "
    "gradient to leave it by.",
    "mode-collapse": "lower the adversarial weight or the generator's learning rate, or give a term that ties the "
    "result to its source (content, cycle, l1) more weight.",
    "identity-collapse": "lower the weight of identity, content or cycle, or raise the adversarial or style weight.",
    "discriminator-won": "lower the discriminator's learning rate, make it smaller, or turn its r1 penalty on.",
    "generator-won": "raise the discriminator's learning rate, or make it larger.",
    "memorising": "stop earlier (the best checkpoint is kept), add pictures or augmentation, or make the generator "
    "smaller.",
    "data-starved": "add target pictures, or show more of each with data.target_scales, data.flip and data.augment.",
}


def _verdict(name: str, history: History, values: Mapping[str, float], thresholds: Mapping[str, float]) -> Verdict:
    return Verdict(name, history[-1].images_seen, values, thresholds, ADVICE[name])


def _below(name: str, measure: str, limit: float, history: History, limits: Limits) -> Verdict | None:
    """Name it where a measure stays below its limit."""
    values = _recent(history, measure, limits)
    if not values or max(values) >= limit:
        return None
    return _verdict(name, history, {measure: values[-1]}, {measure: limit})


def _lasting(history: History, limits: Limits) -> bool:
    """Whether there are enough looks after the warm-up to speak of something lasting."""
    return len(history) >= limits.warm_up + limits.patience


def _recent(history: History, measure: str, limits: Limits) -> list[float]:
    """Return a measure at the last looks, or nothing where it was not measured at all of them, or not for long."""
    values = [getattr(look, measure) for look in history[-limits.patience :]]
    return values if _lasting(history, limits) and None not in values else []
