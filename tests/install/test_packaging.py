"""The wheel: the files that Freqtrade loads are in it, once, though they lie beside the library in the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coordinator.jobs.install.contents import FOLDERS, shipped_contents
from coordinator.shipped import shipped_folder

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """What git tracks of the package: a build leaves its own folders behind."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    wanted = {"coordinator", *FOLDERS}
    for name in listed.stdout.splitlines():
        if (name.split("/")[0] in wanted or "/" not in name) and (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    return folder


def build(checkout: Path, kind: str, target: Path) -> zipfile.ZipFile:
    done = subprocess.run(
        [sys.executable, "-c", BUILD, kind, str(target)], cwd=checkout, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = target.glob("*.whl")
    return zipfile.ZipFile(wheel)


def test_an_installed_package_has_what_init_writes(checkout, tmp_path):
    with build(checkout, "build_wheel", tmp_path) as wheel:
        inside = {name for name in wheel.namelist() if name.startswith("coordinator/freqtrade_files/")}
        wheel.extractall(tmp_path / "site")
        assert not [name for name in wheel.namelist() if name.startswith(("tests/", "strategies/", "setup"))]
    expected = {f"{folder}/{path.name}" for folder in FOLDERS for path in (ROOT / folder).glob("*.py")}
    assert inside == {f"coordinator/freqtrade_files/{name}" for name in expected | {"config.json"}}
    assert shipped_contents(tmp_path / "site" / "coordinator" / "freqtrade_files") == shipped_contents()
    program = "from coordinator.shipped import shipped_folder; print(shipped_folder())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(tmp_path / "site" / "coordinator" / "freqtrade_files")


def test_an_editable_install_copies_nothing(checkout, tmp_path):
    with build(checkout, "build_editable", tmp_path) as wheel:
        assert not [name for name in wheel.namelist() if "freqtrade_files" in name]
    assert not list(checkout.glob("coordinator/freqtrade_files"))


def test_a_checkout_uses_its_own_files():
    assert shipped_folder() == ROOT
