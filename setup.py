"""Compiles the message catalogues and the innermost loops of recognition when the package is built or installed;
everything else is in pyproject.toml.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

COMPILED = ("agent/detection/loops/_compiled", "agent/audit/glance/_compiled", "agent/audit/packing/_compiled")


class BuildWithCatalogues(build_py):
    """gettext reads .mo files; the repository holds .po files only."""

    def run(self) -> None:
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        for source in sorted(Path(__file__).parent.glob("agent/locale/*/LC_MESSAGES/*.po")):
            beside = source.with_suffix(".mo.new")  # a running agent has the old one mapped: it keeps it
            with source.open("rb") as po, beside.open("wb") as mo:
                write_mo(mo, read_po(po, locale=source.parts[-3]))
            beside.replace(source.with_suffix(".mo"))
        super().run()


class BuildWhatCompiles(build_ext):
    """No compiler, no headers of Python: the installation goes on without what wants them."""

    def build_extensions(self) -> None:
        self.missing: list[Extension] = []
        super().build_extensions()
        self.extensions = [each for each in self.extensions if each not in self.missing]

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception as error:
            self.missing.append(ext)
            self.warn(f"{ext.name} is not compiled, plain Python serves in its place: {error}")


def extensions() -> list[Extension]:
    """What is compiled where it can be; the same in plain Python stands beside it (decisions 15 and 36)."""
    try:
        from Cython.Build import cythonize
    except ImportError:
        return []
    compiled = [
        Extension(
            name.replace("/", "."),
            [f"{name}.pyx"],
            # sums are to be those of the plain twin, on every machine
            extra_compile_args=["-O3", "-ffp-contract=off", "-fstack-protector-strong"],
        )
        for name in COMPILED
    ]
    return list(cythonize(compiled, build_dir="build/cython", quiet=True))


setup(cmdclass={"build_py": BuildWithCatalogues, "build_ext": BuildWhatCompiles}, ext_modules=extensions())
