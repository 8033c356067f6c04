import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ganstyle import images
from ganstyle.nn.distillation import (
    Teachers,
    fitted_head,
    mean_activations,
    pruned,
    rows_of,
    scaled,
    unexplained,
    unlike,
    weights_of,
)
from ganstyle.nn.inheritance import inherit, pivots
from ganstyle.nn.vgg import Perceptual, perceptual
from ganstyle.nn.vgg_files import orthogonal_weights
from ganstyle.nn.vgg_weights import Kernel, Weights

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "distill_features.py"
WIDTHS = {"conv1_1": 6, "conv1_2": 6, "conv2_1": 8}


def network(seed: int, widths: dict[str, int] = WIDTHS) -> Weights:
    """Draw a small VGG whose biases are not zero."""
    weights = orthogonal_weights(widths, seed, "a stand-in")
    kernels = {
        name: Kernel(kernel.weight, 0.1 * torch.randn(len(kernel.bias)))
        for name, kernel in weights.convolutions.items()
    }
    return Weights(weights.origin, kernels, weights.color, weights.padding)


@pytest.fixture
def pictures() -> Tensor:
    return torch.rand(4, 3, 16, 16) * 2 - 1


def test_rows_are_counted_image_by_image_and_row_by_row() -> None:
    features = torch.arange(2 * 3 * 2 * 2).float().reshape(2, 3, 2, 2)
    picked = rows_of(features, torch.tensor([1, 6]))
    assert torch.equal(picked, torch.stack([features[0, :, 0, 1], features[1, :, 1, 0]]))


def test_a_fitted_head_finds_a_linear_map_and_its_offset() -> None:
    seen, matrix, offset = torch.randn(200, 4), torch.randn(4, 7), torch.randn(7)
    head = fitted_head(seen, seen @ matrix + offset)
    torch.testing.assert_close(head.weight, matrix.T, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(head.bias, offset, rtol=1e-3, atol=1e-4)


def test_unexplained_is_zero_for_the_target_and_one_for_its_mean() -> None:
    target = torch.tensor([[1.0, 3.0], [5.0, 7.0]])
    assert unexplained(target, target) == 0
    assert unexplained(torch.full_like(target, 4.0), target) == 1
    assert unexplained(target + 1, target).item() == pytest.approx(1 / 5)  # the variance of 1, 3, 5, 7 is 5


def test_kernels_do_not_see_rotation_scale_or_further_channels() -> None:
    rows = torch.rand(50, 6)
    rotation = torch.linalg.qr(torch.randn(9, 6)).Q
    assert unlike(3 * rows @ rotation.T, rows).item() == pytest.approx(0, abs=1e-6)
    assert unlike(torch.rand(50, 6), rows) > 0.1


def test_equal_kernels_mean_equal_gram_distances() -> None:
    """The claim that the kernel term rests on: tr(A'A B'B) = |AB'|^2."""
    ours, theirs = torch.rand(10, 5, dtype=torch.float64), torch.rand(10, 5, dtype=torch.float64)
    inner = ((ours.T @ ours) * (theirs.T @ theirs)).sum()
    torch.testing.assert_close(inner, (ours @ theirs.T).square().sum())


def test_scaling_makes_every_mean_one_and_changes_nothing_else(pictures: Tensor) -> None:
    weights = network(0)
    before = Perceptual(weights)(pictures, ["relu1_1", "relu1_2", "relu2_1"])
    means = mean_activations(before)
    after = Perceptual(scaled(weights, means))(pictures, list(before))
    for layer in before:
        assert after[layer].mean().item() == pytest.approx(1, rel=1e-4)
        torch.testing.assert_close(after[layer], before[layer] / means[layer], rtol=1e-4, atol=1e-4)


def test_pruning_takes_out_dead_channels_and_changes_nothing_else(pictures: Tensor) -> None:
    weights = network(0)
    for name, dead in {"conv1_1": 2, "conv2_1": 5}.items():
        weights.convolutions[name].bias[dead] = -100.0
    before = Perceptual(weights)(pictures, ["relu1_1", "relu1_2", "relu2_1"])
    after = Perceptual(pruned(weights, before, 1))(pictures, list(before))
    for layer, activation in before.items():
        alive = activation.amax(dim=(0, 2, 3)) > 0
        assert alive.all() == (layer == "relu1_2")
        torch.testing.assert_close(after[layer], activation[:, alive])


def test_pruning_leaves_widths_that_are_multiples(pictures: Tensor) -> None:
    weights = network(0)
    weights.convolutions["conv1_1"].bias[:3] = -100.0
    before = Perceptual(weights)(pictures, ["relu1_1", "relu1_2", "relu2_1"])
    after = Perceptual(pruned(weights, before, 4))(pictures, list(before))
    torch.testing.assert_close(after["relu1_1"], before["relu1_1"][:, [0, 3, 4, 5]])
    assert after["relu1_2"].shape[1] == 6  # all alive: nothing to take out


def test_weights_of_a_network_build_it_again(pictures: Tensor) -> None:
    original = Perceptual(network(0))
    again = Perceptual(weights_of(original, "again"))
    assert torch.equal(original(pictures, ["relu2_1"])["relu2_1"], again(pictures, ["relu2_1"])["relu2_1"])


def test_the_distilled_teacher_takes_over_where_the_real_one_ends(pictures: Tensor) -> None:
    real, distilled = network(0, {"conv1_1": 6, "conv1_2": 6}), network(1)
    head = Kernel(torch.randn(20, 8, 1, 1), torch.randn(20))
    teachers = Teachers(real, Weights("", distilled.convolutions, distilled.color, "reflect", {"relu2_1": head}))
    shown = teachers(pictures, ("relu1_1", "relu2_1"))
    assert [teachers.source(layer) for layer in shown] == ["real", "distilled, widened"]
    assert torch.equal(shown["relu1_1"], Perceptual(real)(pictures, ["relu1_1"])["relu1_1"])
    assert shown["relu2_1"].shape[1] == 20
    assert (shown["relu2_1"] >= 0).all()


def test_a_student_as_wide_as_its_teacher_inherits_all_of_it(pictures: Tensor) -> None:
    teacher = network(0)
    heir = inherit(network(1), (teacher,), pictures)
    seen, shown = (Perceptual(weights)(pictures, ["relu2_1"])["relu2_1"] for weights in (heir, teacher))
    everywhere = torch.arange(seen[:, 0].numel())
    head = fitted_head(rows_of(seen, everywhere), rows_of(shown, everywhere))
    assert unexplained(head(rows_of(seen, everywhere)), rows_of(shown, everywhere)) < 1e-4


def test_a_narrow_student_inherits_more_than_chance(pictures: Tensor) -> None:
    teacher, student = network(0, dict.fromkeys(WIDTHS, 12)), network(1)
    left = []
    for weights in (student, inherit(student, (teacher,), pictures)):
        seen = rows_of(Perceptual(weights)(pictures, ["relu2_1"])["relu2_1"], torch.arange(256))
        shown = rows_of(Perceptual(teacher)(pictures, ["relu2_1"])["relu2_1"], torch.arange(256))
        left.append(unexplained(fitted_head(seen, shown)(seen), shown).item())
    assert left[1] < left[0]


def test_pivots_leave_out_a_channel_that_another_tells() -> None:
    strong, weak = 10 * torch.randn(100), torch.randn(100)
    assert sorted(pivots(torch.stack([strong, 0.5 * strong, weak], 1), 2)) in ([0, 2], [1, 2])


def test_pivots_leave_out_dead_channels() -> None:
    rows = torch.randn(100, 3)
    rows[:, 1] = 0
    assert sorted(pivots(rows, 3)) == [0, 2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    specification = importlib.util.spec_from_file_location("distill_features", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def stand_in(path: Path, depth: int) -> str:
    """Write a narrow VGG in the normalised layout, up to a number of convolutions."""
    names = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv3_4", "conv4_1"]
    weights = network(depth, dict.fromkeys(names[:depth], 4))
    layers = {"conv0": weights.color, **weights.convolutions}
    save_file({f"{name}.{part}": getattr(k, part).clone() for name, k in layers.items() for part in k._fields}, path)
    return str(path)


def test_the_tool_distils_files_that_the_loader_reads(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (64, 80, 3), dtype=np.uint8)
        images.write(pixels, tmp_path / f"{number}.png")
    options = {
        "--real": [stand_in(tmp_path / "real.safetensors", 5), "MIT"],
        "--distilled": [stand_in(tmp_path / "distilled.safetensors", 9), "MIT"],
        "--pictures": [str(tmp_path / "*.png"), "drawn by dice"],
        "--output": [str(tmp_path / "out")],
    }
    given = [word for option, values in options.items() for word in (option, *values)]
    monkeypatch.setattr(sys, "argv", ["distill", *given, "--steps", "2", "--batch", "2", "--side", "32"])
    assert script.main() == 0
    assert "step 2" in capsys.readouterr().out
    built = perceptual(path=str(tmp_path / "out" / "features.safetensors"))
    assert built.layers[-1] == "relu4_1"
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert [teacher["licence"] for teacher in card["teachers"]] == ["MIT", "MIT"]
    assert card["pictures"][0]["count"] == 2


def test_crops_of_a_step_are_the_same_whenever_asked_for(script: ModuleType, tmp_path: Path) -> None:
    images.write(np.random.default_rng(0).integers(0, 255, (64, 80, 3), dtype=np.uint8), tmp_path / "a.png")
    crops = script.Crops([str(tmp_path / "*.png")], 32, 0)
    first, later = crops.batch(3, 4), crops.batch(4, 4)
    assert torch.equal(first, crops.batch(3, 4))
    assert not torch.equal(first, later)
    assert first.abs().max() <= 1


def test_the_tool_says_in_one_sentence_that_no_picture_matches(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = [stand_in(tmp_path / "real.safetensors", 9), "MIT"]
    nothing = ["--pictures", "nowhere/*.jpg", "MIT"]
    monkeypatch.setattr(sys, "argv", ["distill", "--real", *teacher, "--distilled", *teacher, *nothing])
    assert script.main() == 2
    assert "there is no picture that matches 'nowhere/*.jpg'" in capsys.readouterr().err
