#!/usr/bin/env python3
"""From a clean checkout to a running demo or passed tests in one line; needs only Python >= 3.11 and a package index.

This file alone must parse on any Python 3, so that an old one can say so instead of failing on syntax.
"""

import glob
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from typing import NoReturn

NEEDED = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "setup-stamp")
USAGE = """usage: python3 tools/setup.py COMMAND [ARGUMENT...]

  demo    show four supervised agents in a throwaway instance, in under a minute
  test    run lint, types, documentation checks and all tests (arguments go to nox)
  run     run tmux-orc itself with the arguments
  venv    only make .venv, with everything for development"""
TMUX_HINT = """tmux is not installed (3.2 or newer is needed). Install it and run this line again:
  Debian, Ubuntu   sudo apt-get install tmux
  Fedora, RHEL     sudo dnf install tmux
  Arch             sudo pacman -S tmux
  macOS            brew install tmux"""


def say(text: str) -> None:
    """Speak beside the output of what is run."""
    print(text, file=sys.stderr, flush=True)


def stop(text: str) -> NoReturn:
    """Say why there is no going on, and end."""
    say("setup: " + text)
    raise SystemExit(1)


def wanted(python: str) -> bool:
    """Whether `python` runs, is new enough and can make a venv; a pyenv shim may exist and still run nothing."""
    check = f"import ensurepip, sys; sys.exit(sys.version_info[:2] < {NEEDED})"
    try:
        return subprocess.call([python, "-c", check], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def newer_pythons() -> "list[str]":
    """Where a newer interpreter may be, best first: on PATH, then in pyenv's own folder."""
    names = [f"python3.{minor}" for minor in range(19, NEEDED[1] - 1, -1)]
    found = [path for path in map(shutil.which, names) if path]
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    return found + sorted(glob.glob(os.path.join(pyenv, "versions", "3.*", "bin", "python3")), reverse=True)


def use_a_new_python() -> None:
    """Go on with a new enough interpreter, or say what is missing and stop."""
    if sys.version_info[:2] >= NEEDED:
        return
    mine = f"{sys.executable} is Python {platform.python_version()}; {NEEDED[0]}.{NEEDED[1]} or newer is needed"
    newer = next(filter(wanted, newer_pythons()), None)
    if newer is None:
        stop(mine + ", and no python3.11 or newer with venv was found on PATH.")
    say(f"setup: {mine}: using {newer} instead")
    os.execv(newer, [newer, *sys.argv])


def need_tmux(*, install: bool) -> None:
    """Stop with what to type if tmux is missing; with `install`, as root on Debian, install it."""
    if shutil.which("tmux"):
        return
    if not (install and os.geteuid() == 0 and shutil.which("apt-get")):
        stop(TMUX_HINT)
    say("setup: installing tmux with apt-get")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "tmux"]):
        if subprocess.call(["apt-get", *step], env=environment, stdout=sys.stderr) != 0:
            stop(f"apt-get {step[0]} failed.\n{TMUX_HINT}")


def program(name: str) -> str:
    """The path of a program in .venv."""
    return os.path.join(VENV, "bin", name)


def stamp(*, development: bool) -> str:
    """What .venv was made from; another answer means that it must be made up to date."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        content = hashlib.sha256(file.read()).hexdigest()
    return content + (" development" if development else " run")


def up_to_date(*, development: bool) -> bool:
    """Whether .venv works and was made from what stands in pyproject.toml now."""
    try:
        with open(STAMP) as file:
            made_from = file.read()
    except OSError:
        return False
    return made_from in (stamp(development=True), stamp(development=development)) and wanted(program("python"))


def make_venv(*, development: bool) -> None:
    """Make .venv, or bring it up to date, with the project installed editable."""
    if up_to_date(development=development):
        return
    if not wanted(program("python")):
        say("setup: making .venv with Python " + platform.python_version())
        create_venv()
    say("setup: installing into .venv")
    pip("--upgrade", "pip>=25.1")
    pip("--editable", ROOT, *(["--group", f"{ROOT}/pyproject.toml:dev"] if development else []))
    with open(STAMP, "w") as file:
        file.write(stamp(development=development))


def create_venv() -> None:
    """Make an empty .venv in place of whatever was there."""
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.call([sys.executable, "-m", "venv", VENV]) != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        stop("Python's venv module does not work here; on Debian and Ubuntu: sudo apt-get install python3-venv")


def pip(*arguments: str) -> None:
    """Install into .venv."""
    command = [program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.call([*command, *arguments]) != 0:
        stop("pip could not install; its own words are above. Is the package index reachable?")


def execute(name: str, *arguments: str) -> NoReturn:
    """Become program `name` of .venv, with .venv first on PATH."""
    os.environ["PATH"] = os.path.join(VENV, "bin") + os.pathsep + os.environ.get("PATH", os.defpath)
    os.environ["VIRTUAL_ENV"] = VENV
    os.execv(program(name), [program(name), *arguments])


def main(arguments: "list[str]") -> None:
    """Do one of the commands of USAGE."""
    command = arguments[0] if arguments else "help"
    if command not in ("demo", "test", "run", "venv"):
        say(USAGE)
        raise SystemExit(0 if command in ("help", "--help", "-h") else 2)
    use_a_new_python()
    if command in ("demo", "test"):
        need_tmux(install=command == "test")
    make_venv(development=command in ("test", "venv"))
    if command == "venv":
        say("setup: ready; source .venv/bin/activate")
    elif command == "test":
        os.chdir(ROOT)
        execute("nox", "--no-venv", "--no-install", "--non-interactive", *arguments[1:])
    else:
        execute("tmux-orc", *(["demo"] if command == "demo" else []) + arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
