"""Train pix2pix on the toy problem in a plain loop: a method needs neither Lightning nor Hydra.

python examples/bare_loop.py 400 artifact
"""

import sys
from pathlib import Path

import torch
from torch.utils.data import default_collate

from ganstyle import artifact
from ganstyle.data.toy import toy
from ganstyle.methods.pix2pix import Pix2Pix
from ganstyle.metrics.known_answer import psnr
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.types import Batch

WEIGHTS = {"discriminator": {"real": 0.5, "fake": 0.5}, "generator": {"adversarial": 1.0, "l1": 100.0}}


def main(steps: int, folder: Path) -> None:
    """Let both players move on every batch, compare what the generator paints with the truth, and keep it."""
    torch.manual_seed(0)
    problem = toy(size=32, scenes=32, val=1, held_out=8)
    method = Pix2Pix(Light(channels=8, blocks=2), PatchGAN(in_channels=6, channels=8, layers=2), adversarial="vanilla")
    optimizers = {p.name: torch.optim.Adam(p.network.parameters(), 2e-3, (0.5, 0.999)) for p in method.players}
    held_out = default_collate([problem.test[number] for number in range(len(problem.test))])
    print(f"untrained  {score(method, held_out):.1f} dB")
    for batch in (default_collate([problem.train[4 * step + n] for n in range(4)]) for step in range(steps)):
        move(method, optimizers, batch)
    print(f"trained    {score(method, held_out):.1f} dB")
    artifact.save(method.generator, folder, styles=["toy"], data=problem.card, losses=WEIGHTS)


def move(method: Pix2Pix, optimizers: dict[str, torch.optim.Adam], batch: Batch) -> None:
    """One turn of the game: the method runs forward once, and every player moves on what came out."""
    outputs = method(batch)
    for player in method.players:
        terms = player.losses(outputs)
        total = torch.stack([WEIGHTS[player.name][name] * term for name, term in terms.items()]).sum()
        method.zero_grad()
        torch.autograd.backward(total, inputs=list(player.network.parameters()))
        optimizers[player.name].step()


@torch.inference_mode()
def score(method: Pix2Pix, batch: Batch) -> float:
    """Mean PSNR against the known answer."""
    return psnr(method.generator(batch["source"]), batch["truth"]).mean().item()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
