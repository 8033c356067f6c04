from torch import nn

from ganstyle.metrics.features import feature_network
from ganstyle.nn.vgg import perceptual
from ganstyle.training.provenance import features_seen

NODE = {"_target_": "ganstyle.nn.vgg.perceptual", "weights": "random", "path": None, "architecture": "vgg19", "seed": 3}


class Seeing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.perceptual = perceptual("random", seed=3)


def test_a_card_names_the_features_as_a_judge_would() -> None:
    judge = feature_network("random", seed=3)
    assert features_seen(Seeing(), NODE) == {"features": judge.name, "features_sha256": judge.sha256}


def test_a_method_without_frozen_features_names_none() -> None:
    assert features_seen(nn.Linear(1, 1), NODE) == {}
