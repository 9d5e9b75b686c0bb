"""Compiles the core into the package where there is a C compiler; everything else is in pyproject.toml."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from setuptools import Command, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build import build
from setuptools.command.build_py import build_py

PACKAGE = "models/backends/native"
"""Where the core lies, in the repository and, below `catzip`, in the package."""


def builder() -> ModuleType:
    """The module that compiles it, by its path: the package cannot be imported before it is installed."""
    path = Path(__file__).parent / PACKAGE / "build.py"
    spec = importlib.util.spec_from_file_location("catzip_native_build", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class build_core(Command):
    """A part of `build` as setuptools has them: beside the sources of an editable installation, else in the wheel."""

    description = "compile the core"
    user_options: ClassVar = []

    def initialize_options(self) -> None:
        self.build_lib, self.editable_mode = None, False

    def finalize_options(self) -> None:
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    @property
    def target(self) -> Path:
        root = Path(PACKAGE) if self.editable_mode else Path(self.build_lib, "catzip", PACKAGE)
        return root / builder().NAME

    def run(self) -> None:
        native = builder()
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            native.build(self.target)
        except native.BuildError as error:
            self.target.unlink(missing_ok=True)
            print(
                f"catzip: the compiled core is left out: {error}. Everything works without it.",
                file=sys.stderr,
            )

    def get_source_files(self) -> list[str]:
        return [f"{PACKAGE}/{path.name}" for path in builder().sources()]

    def get_outputs(self) -> list[str]:
        return [str(self.target)] if self.target.exists() else []

    def get_output_mapping(self) -> dict[str, str]:
        return {}


class modules(build_py):
    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Without this file, which lies where the package begins."""
        found = super().find_package_modules(package, package_dir)
        return [each for each in found if each[:2] != ("catzip", "setup")]


class build_with_core(build):
    sub_commands: ClassVar = [*build.sub_commands, ("build_core", None)]


class wheel(bdist_wheel):
    """One for every Python on this platform, or, without the core, on every platform."""

    def run(self) -> None:
        self.run_command("build")
        self.root_is_pure = not self.get_finalized_command("build_core").get_outputs()
        self.distribution.has_ext_modules = lambda: not self.root_is_pure
        super().run()

    def get_tag(self) -> tuple[str, str, str]:
        *_, platform = super().get_tag()
        return "py3", "none", "any" if self.root_is_pure else platform


setup(
    cmdclass={"build": build_with_core, "build_py": modules, "build_core": build_core, "bdist_wheel": wheel}
)
