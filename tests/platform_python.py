"""Platform's Python: an environment with our packages and without us, as a platform or an image has it.

There the lock is installed and the code lies in a folder; here the tests' own environment has Headwater installed as
well, so that what only works installed would pass unseen.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path


def platform_python(folder: Path) -> str:
    """A Python that finds the packages of this environment, but not what is installed into it from a checkout."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")  # whose own .pth files are not read
    return str(folder / "bin/python")
