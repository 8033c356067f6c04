"""Lets `python -m ganstyle.cli` do what `ganstyle` does."""

import sys

from ganstyle.cli import main

sys.exit(main())
