"""The command `gateway` in a process of its own, as an operator calls it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | {
    "PYTHONPATH": str(ROOT)
}


def arguments(*words: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "gateway", *words]


def gateway(*words: str, cwd: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    return subprocess.run(
        arguments(*words), capture_output=True, text=True, cwd=cwd, env=ENVIRONMENT | environ, timeout=60, check=False
    )
