"""A history of generated images, so that a discriminator does not forget what it has seen."""

from typing import Any

import torch
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.errors import ConfigError


class ImagePool:
    """Keep the last images loosely: each newcomer may take the place of an older one.

    Source: Shrivastava et al. 2017, section 2.3, image by image as in Zhu et al. 2017, section 4 (50 images).
    """

    def __init__(self, size: int = 50, seed: int = 0) -> None:
        if size < 0:
            raise ConfigError(f"an image pool holds 0 images (off) or more, but got {size}.")
        self.size = size
        self.images: list[Tensor] = []
        self.reseed(seed)

    def reseed(self, *parts: int | str) -> None:
        """Start the pool's own randomness anew, e.g. from the run's seed and the rank."""
        self.generator = generator_of("pool", *parts)

    def exchange(self, images: Tensor) -> Tensor:
        """Return a batch of the same shape in which, once the pool is full, half the images are older ones.

        An older image leaves the pool when it is returned, and the newcomer takes its place.
        """
        if self.size == 0:
            return images
        return torch.stack([self._exchange_one(image) for image in images.detach()])

    def _exchange_one(self, image: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if torch.rand((), generator=self.generator) < 0.5:
            return image
        place = int(torch.randint(self.size, (), generator=self.generator))
        older, self.images[place] = self.images[place], image.clone()
        return older.to(image)

    def state_dict(self) -> dict[str, Any]:
        """Return the images and the state of the randomness, as tensors on the CPU."""
        return {"images": [image.cpu() for image in self.images], "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue exactly where the pool was that returned this state."""
        self.images = list(state["images"])
        self.generator.set_state(state["generator"].cpu())
