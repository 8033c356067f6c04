"""Train a style GAN: `python train.py experiment=quickstart`; `python train.py --help` says more."""

import sys

from ganstyle.training.main import main

if __name__ == "__main__":
    sys.exit(main())
