import subprocess
import sys
from pathlib import Path

import pytest

CHECKS = Path(__file__).with_name("compile_without_type_checks.py")


@pytest.mark.slow
def test_networks_compile_and_export_without_the_type_checks() -> None:
    command = [sys.executable, "-m", "pytest", "--noconftest", "-q", "-p", "no:cacheprovider", str(CHECKS)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:]
