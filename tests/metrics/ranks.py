"""What each process does of those that evaluate together."""

import json
from pathlib import Path

import torch
from metrics.world import IDLER, JUDGE, PAINTER, REFERENCES, SOURCES
from torch import distributed

from ganstyle.metrics.cache import Cache
from ganstyle.metrics.evaluate import evaluate
from ganstyle.metrics.results import per_image_csv, plain


def as_rank(rank: int, folder: Path, ranks: int) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=ranks)
    found = evaluate(SOURCES, REFERENCES, [PAINTER, IDLER], JUDGE, cache=Cache(None), draws=60)
    if found is not None:
        (folder / f"{rank}.json").write_text(json.dumps(plain(found[0])))
        (folder / f"{rank}.csv").write_text(per_image_csv(found[0]))
        torch.save(dict(found[1].pictures), folder / "pictures.pt")
    distributed.destroy_process_group()
