"""FreqUI for a demo: is it there, and can it be had."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["freqtrade_ui"]

_HOST: Final = ("github.com", 443)  # where `freqtrade install-ui` downloads from
_REACH_SECONDS: Final = 2.0
_INSTALL_SECONDS: Final = 60.0


def freqtrade_ui(userdir: Path) -> bool:
    """Whether FreqUI is installed in this environment; where there is internet it is fetched first."""
    if _installed():
        return True
    try:
        socket.create_connection(_HOST, timeout=_REACH_SECONDS).close()
        command = [sys.executable, "-m", "freqtrade", "install-ui"]
        subprocess.run(command, capture_output=True, timeout=_INSTALL_SECONDS, cwd=userdir, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return _installed()


def _installed() -> bool:
    spec = importlib.util.find_spec("freqtrade")
    if spec is None or spec.origin is None:
        return False
    folder = Path(spec.origin).parent / "rpc" / "api_server" / "ui" / "installed"
    return (folder / "index.html").is_file()
