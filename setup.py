"""The build step of pyproject.toml: what an earlier build left in build/ is not packed again."""

import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class FreshBuild(build_py):
    """setuptools' build, from an empty folder."""

    def run(self) -> None:
        """Empty build/lib, then copy the packages into it."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build_py": FreshBuild})
