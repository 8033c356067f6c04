"""`ganstyle`: what is done with data and artifacts from a terminal.

Each command imports what it needs when it runs, so that `ganstyle --help` answers at once.
"""

import os
import sys
import traceback
from collections.abc import Sequence

from ganstyle.cli.parser import parse
from ganstyle.errors import GanstyleError

MISTAKE, INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code: 0, 1 (done, but not as asked), 2 (a mistake) or 130 (Ctrl-C).

    A sweep that a signal ended returns 128 and the signal's number.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = parse(words)
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever reads the output has seen enough, e.g. `ganstyle fetch | head`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  (the interpreter flushes it on the way out)
        return 0
    except (GanstyleError, OSError) as error:
        if "--debug" in words:
            traceback.print_exc()
        else:
            print(_told(error), file=sys.stderr)
        return MISTAKE


def _told(error: Exception) -> str:
    """Put what the system refused, which nobody foresaw, into a sentence, too."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return f"{error.strerror}: {error.filename}." if error.filename else f"{error.strerror}."
