"""MicroAST, for any painting and for one."""

import torch

from ganstyle.nn.microast import MicroAST, MicroASTStyle, Modulation, Residual, Touch, touched


def test_microast_has_the_published_number_of_parameters() -> None:
    assert sum(p.numel() for p in MicroAST().parameters()) == 471_987


def test_adain_gives_the_content_the_mean_and_deviation_of_the_style() -> None:
    content, style = torch.randn(1, 4, 20, 20), 3.0 + 2.0 * torch.randn(1, 4, 10, 12)
    mean, spread = style.mean((2, 3), keepdim=True), style.std((2, 3), keepdim=True)
    result = touched(content, Touch(mean, spread, spread, mean))
    torch.testing.assert_close(result.mean((2, 3)), style.mean((2, 3)), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(result.std((2, 3)), style.std((2, 3)), atol=1e-3, rtol=1e-3)


def test_a_modulation_by_one_and_zero_changes_nothing() -> None:
    block, x = Residual(), torch.randn(1, 64, 5, 6)
    neutral = Modulation(torch.ones(1, 64, 1, 1), torch.zeros(1, 64, 1, 1))
    torch.testing.assert_close(block(x, neutral), block(x))


def test_microast_takes_a_painting_of_another_size() -> None:
    network = MicroAST().eval()
    result = network(torch.rand(1, 3, 32, 36) * 2 - 1, torch.rand(1, 3, 40, 24) * 2 - 1)
    assert result.shape == (1, 3, 32, 36)


def test_one_paintings_touch_is_all_that_the_painting_does() -> None:
    network = MicroAST().eval()
    for parameter in network.parameters():
        parameter.data *= 2
    image, painting = torch.rand(2, 3, 32, 24) * 2 - 1, torch.rand(1, 3, 40, 52) * 2 - 1
    fixed = MicroASTStyle.of(network, painting).eval()
    with torch.no_grad():
        torch.testing.assert_close(fixed(image), network(image, painting.expand(2, -1, -1, -1)), atol=1e-5, rtol=1e-5)
        other = MicroASTStyle.of(network, painting.flip(1) / 2)(image)
    assert (fixed(image) - other).abs().max() > 1e-4
