"""The two sides of a comparison: a commit, or the working tree, installed into an environment of its own.

Both are made in one way and lie under paths of one length, so that nothing but the code differs.  Dependencies come
from the environment this runs in, unless the commit asks for others: then it gets its own from the package index.
"""

import compileall
import io
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = Path("src/tmuxorc")
MAIN = ("origin/main", "main", "origin/master", "master")

SCRIPT = """#!{python}
import sys
from tmuxorc.cli import main
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit(main())
"""


class NoBase(Exception):
    """There is nothing to compare with, and why."""


@dataclass(frozen=True)
class Environment:
    """One installed side; `declared` are the benchmarks that its own commit has."""

    label: str
    python: str
    source: Path
    declared: frozenset[str]


def git(*words: str) -> str:
    """What git says; raises `NoBase`."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise NoBase(f"git does not run: {error}") from None
    if done.returncode:
        raise NoBase(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def find_base(revision: str | None) -> str:
    """The commit to compare with: the given one; else where this branch left main, or on main the commit before.

    With uncommitted changes on main that is its last commit.
    """
    if revision is not None:
        return git("rev-parse", "--verify", f"{revision}^{{commit}}")
    head = git("rev-parse", "HEAD")
    for main in MAIN:
        try:
            base = git("merge-base", "HEAD", main)
        except NoBase:
            continue
        if base != head:
            return base
    return head if git("status", "--porcelain", "--", "src", "pyproject.toml") else git("rev-parse", "HEAD~1")


def describe(revision: str | None) -> str:
    """A commit for people; None is the working tree."""
    if revision is None:
        changed = bool(git("status", "--porcelain", "--", "src"))
        return describe("HEAD") + (" with uncommitted changes" if changed else "")
    return git("show", "-s", "--format=%h %s", revision)


def extract(revision: str | None, into: Path) -> Path:
    """The files of a commit, or of the working tree, that are needed here."""
    into.mkdir(parents=True)
    if revision is None:
        return copy_tree(ROOT, into)
    done = subprocess.run(
        ["git", "-C", str(ROOT), "archive", "--format=tar", revision], capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(into, filter="data")
    return into


def copy_tree(source: Path, into: Path) -> Path:
    """Copy package and project file from one folder to another."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / PACKAGE, into / PACKAGE, ignore=unwanted)
    shutil.copy2(source / "pyproject.toml", into)
    if (source / "perf").is_dir():
        shutil.copytree(source / "perf", into / "perf", ignore=unwanted)
    return into


def install(source: Path, into: Path, label: str) -> Environment:
    """Make an environment with the package that lies in `source`."""
    venv.EnvBuilder(symlinks=True).create(into)
    python = into / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(into), "platbase": str(into)}))
    shutil.copytree(source / PACKAGE, site / "tmuxorc", ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(site, quiet=1)
    paths = dependencies(source, into / "dependencies")
    (site / "dependencies.pth").write_text("".join(f"{path}\n" for path in paths))
    script = into / "bin" / "tmux-orc"
    script.write_text(SCRIPT.format(python=python))
    script.chmod(0o755)
    return Environment(label, str(python), source, declared(source))


def dependencies(source: Path, into: Path) -> list[str]:
    """Where the dependencies of the package in `source` lie."""
    wanted = requirements(source)
    if wanted != requirements(ROOT):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(into), *wanted], check=True)
        return [str(into)]
    return list(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib")))


def requirements(source: Path) -> list[str]:
    """What the project in `source` depends on."""
    return sorted(tomllib.loads((source / "pyproject.toml").read_text())["project"]["dependencies"])


def same_code(one: Path, other: Path) -> bool:
    """Whether two extracted trees would be measured the same."""
    return requirements(one) == requirements(other) and _files(one) == _files(other)


def _files(source: Path) -> dict[str, bytes]:
    paths = (path for path in (source / PACKAGE).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(source)): path.read_bytes() for path in paths}


def declared(source: Path) -> frozenset[str]:
    """The names of the benchmarks a commit has; without importing anything of it."""
    found: set[str] = set()
    for path in (source / "perf" / "subjects").glob("*.py"):
        functions = re.findall(r"^(?:async )?def (\w+)\(lab", path.read_text(), re.MULTILINE)
        found |= {f"{path.stem}.{name}" for name in functions}
    return frozenset(found)
