"""Puts into the wheel, as coordinator/freqtrade_files, what Freqtrade loads and what lies beside the library here."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDER = "freqtrade_files"
SHIPPED = ("config.json", "strategies/*.py", "freqai_models/*.py", "hyperopts/*.py", "protections/*.py")


class BuildWithFreqtradeFiles(build_py):
    """An editable install copies nothing: there the checkout's own files are found (coordinator/shipped.py)."""

    def _shipped(self) -> list[str]:
        return sorted(str(path) for pattern in SHIPPED for path in Path().glob(pattern))

    def _target(self, name: str) -> Path:
        return Path(self.build_lib, "coordinator", FOLDER, name)

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in self._shipped():
            self.mkpath(str(self._target(name).parent))
            self.copy_file(name, str(self._target(name)))

    def get_source_files(self) -> list[str]:
        return [*super().get_source_files(), *self._shipped()]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        ours = [] if self.editable_mode else [str(self._target(name)) for name in self._shipped()]
        return [*super().get_outputs(include_bytecode), *ours]


setup(cmdclass={"build_py": BuildWithFreqtradeFiles})
