"""The build step of pyproject.toml, which first removes the files of an earlier build, so that they are not packed."""

import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class FreshBuild(build_py):
    """The build_py step of setuptools, starting from an empty folder."""

    def run(self) -> None:
        """Empty build/lib, then copy the packages into it."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build_py": FreshBuild})
