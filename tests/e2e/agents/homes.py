"""A throwaway home for each agent: what starts it offline against the scripted model, and nothing of the person's own.

The settings are those the versions in `programs` need to start without a dialog, in a project that they trust, with
permission prompts on.  ``python -m tests.e2e.agents.homes codex /tmp/x --port 1234`` prints lines for a shell.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.agents.model import TOOLLESS
from tests.e2e.agents.programs import PACKAGES, Program, find
from tests.support import wait_gone

KEY = "sk-scripted-0123456789-0123456789-0123456789"
"""An API key of no service; claude asks about keys that it was not told of."""

MODEL = "scripted"


@dataclass(frozen=True)
class Home:
    """How to start one agent: `argv` in directory `cwd` with no other environment than `env`."""

    kind: str
    folder: Path
    argv: list[str]
    env: dict[str, str]
    cwd: Path

    def processes(self) -> list[int]:
        """Everything that runs with this HOME: codex and gemini leave some behind when their pane is gone (Linux)."""
        mark = f"\0HOME={self.env['HOME']}\0".encode()
        pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return [pid for pid in pids if mark in _environ(pid)]

    def end(self) -> None:
        """Kill all of that, and what it may start meanwhile."""
        while pids := self.processes():
            for pid in pids:
                _kill(pid)


def _environ(pid: int) -> bytes:
    try:
        return b"\0" + Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # gone meanwhile, or somebody else's
        return b""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    wait_gone(pid)


@dataclass(frozen=True)
class Wanted:
    """What one agent's settings are written from."""

    home: Path
    url: str
    project: Path
    auto_approve: bool

    def write(self, name: str, text: str) -> None:
        """A file below HOME."""
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def write_json(self, name: str, value: object) -> None:
        """The same as JSON."""
        self.write(name, json.dumps(value, indent=2) + "\n")


Start = tuple[list[str], dict[str, str]]
"""Arguments after the program's name, and variables beside those that all agents get."""


def make_home(kind: str, folder: Path, *, port: int, project: Path, auto_approve: bool = False) -> Home:
    """Write agent `kind`'s settings into `folder`, which is made, for the model on `port` and the work in `project`.

    Raises FileNotFoundError if the agent is not installed.
    """
    program = find(kind)
    if program is None:
        raise FileNotFoundError(f"{kind} is not installed: python -m tests.e2e.agents.programs install {kind}")
    home, temporary = folder / "home", folder / "tmp"
    for directory in (home, temporary, project):
        directory.mkdir(parents=True, exist_ok=True)
    wanted = Wanted(home.resolve(), f"http://127.0.0.1:{port}", project.resolve(), auto_approve)
    arguments, variables = WRITERS[kind](wanted)
    env = _environment(program, wanted.home, temporary.resolve()) | variables
    return Home(kind, folder, [kind, *arguments], env, wanted.project)


def _environment(program: Program, home: Path, temporary: Path) -> dict[str, str]:
    node = shutil.which("node")
    path = [*program.search_path, *([Path(node).parent] if node else []), "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "HOME": str(home),
        "PATH": ":".join(dict.fromkeys(map(str, path))),
        "TMPDIR": str(temporary),
        "SHELL": "/bin/sh",
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "NO_UPDATE_NOTIFIER": "1",
    }


def _codex(wanted: Wanted) -> Start:
    approval, sandbox = ("never", "danger-full-access") if wanted.auto_approve else ("on-request", "workspace-write")
    config = f"""\
model = "{MODEL}"
model_provider = "scripted"
approval_policy = "{approval}"
sandbox_mode = "{sandbox}"
check_for_update_on_startup = false

[model_providers.scripted]
name = "scripted"
base_url = "{wanted.url}/v1"
wire_api = "responses"
env_key = "SCRIPTED_API_KEY"

[projects.{json.dumps(str(wanted.project))}]
trust_level = "trusted"

[analytics]
enabled = false
"""
    wanted.write(".codex/config.toml", config)
    return [], {"SCRIPTED_API_KEY": KEY}


def _claude(wanted: Wanted) -> Start:
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True, "projectOnboardingSeenCount": 9}
    state = {
        "hasCompletedOnboarding": True,
        "lastOnboardingVersion": PACKAGES["claude"].version,
        "hasSeenAutoDefaultNudge": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        "projects": {str(wanted.project): trusted},
    }
    mode = "bypassPermissions" if wanted.auto_approve else "default"
    settings = {"permissions": {"defaultMode": mode}, "skipDangerousModePermissionPrompt": True}
    wanted.write_json(".claude.json", state)
    wanted.write_json(".claude/settings.json", settings)
    return [], {
        "ANTHROPIC_BASE_URL": wanted.url,
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
        "IS_SANDBOX": "1",  # else it refuses to run as root without prompts
        "ENABLE_TOOL_SEARCH": "false",  # else tools of MCP servers are offered only after a search for them
    }


def _opencode(wanted: Wanted) -> Start:
    provider = {
        "npm": "@ai-sdk/openai-compatible",  # bundled: nothing is fetched
        "name": "Scripted",
        "options": {"baseURL": f"{wanted.url}/v1", "apiKey": KEY},
        "models": {MODEL: {"name": "Scripted", "limit": {"context": 200000, "output": 8192}}},
    }
    permission = "allow" if wanted.auto_approve else "ask"
    config = {
        "$schema": "https://opencode.ai/config.json",
        "provider": {"scripted": provider},
        "model": f"scripted/{MODEL}",
        "small_model": f"scripted/{MODEL}",
        "permission": {"bash": permission, "edit": permission},
        "autoupdate": False,
        "share": "disabled",
    }
    wanted.write_json(".config/opencode/opencode.json", config)
    return [], {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}


def _gemini(wanted: Wanted) -> Start:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "privacy": {"usageStatisticsEnabled": False},
        "ide": {"hasSeenNudge": True},
        "model": {"name": "gemini-2.5-pro"},  # with the automatic choice it would ask a small model which one to take
    }
    wanted.write_json(".gemini/settings.json", settings)
    variables = {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": wanted.url}
    return (["--approval-mode=yolo"] if wanted.auto_approve else []), variables


def _qwen(wanted: Wanted) -> Start:
    settings = {
        "security": {"auth": {"selectedType": "openai"}, "folderTrust": {"enabled": False}},
        "general": {"enableAutoUpdate": False, "disableAutoUpdate": True},
        "privacy": {"usageStatisticsEnabled": False},
        "tools": {
            "approvalMode": "yolo" if wanted.auto_approve else "default",
            "useRipgrep": False,  # its own has no execute bit in this package: a warning at every start
            "toolSearch": {"enabled": False},  # else tools of MCP servers are offered only after a search for them
        },
        "model": {"name": MODEL},
    }
    wanted.write_json(".qwen/settings.json", settings)
    return [], {"OPENAI_BASE_URL": f"{wanted.url}/v1", "OPENAI_API_KEY": KEY, "OPENAI_MODEL": MODEL}


def _aider(wanted: Wanted) -> Start:
    model = f"openai/{TOOLLESS}"
    config = f"""\
model: {model}
weak-model: openai/{MODEL}
openai-api-base: {wanted.url}/v1
openai-api-key: {KEY}
edit-format: diff
model-settings-file: {wanted.home}/models.yml
git: false
gitignore: false
map-tokens: 0
check-update: false
show-release-notes: false
show-model-warnings: false
analytics: false
yes-always: {str(wanted.auto_approve).lower()}
"""
    if not wanted.auto_approve:
        config = config.replace("yes-always: false\n", "")
    wanted.write(".aider.conf.yml", config)
    # Else aider appends a reminder of its own to what the user says, and begins with examples in the user's name.
    wanted.write("models.yml", f"- name: {model}\n  edit_format: diff\n  reminder: sys\n  examples_as_sys_msg: true\n")
    prices = ".aider/caches/model_prices_and_context_window.json"
    wanted.write_json(prices, {"none": {}})  # with something in it, nothing is fetched
    return [], {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "AIDER_ANALYTICS": "false"}


WRITERS: dict[str, Callable[[Wanted], Start]] = {
    "codex": _codex,
    "claude": _claude,
    "opencode": _opencode,
    "gemini": _gemini,
    "qwen": _qwen,
    "aider": _aider,
}


def shell_lines(home: Home) -> str:
    """What to paste into a shell to start the agent."""
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in home.env.items())
    return f"cd {shlex.quote(str(home.cwd))}\nenv -i {variables} {shlex.join(home.argv)}"


def main() -> int:
    """Make a home and say how to start the agent there."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.agents.homes", description=make_home.__doc__)
    parser.add_argument("kind", choices=PACKAGES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True, help="where the scripted model listens")
    parser.add_argument("--project", type=Path, help="default: project in the folder")
    parser.add_argument("--auto-approve", action="store_true", help="no permission prompts")
    options = parser.parse_args()
    project = options.project or options.folder / "project"
    try:
        home = make_home(
            options.kind, options.folder, port=options.port, project=project, auto_approve=options.auto_approve
        )
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    print(shell_lines(home))
    return 0


if __name__ == "__main__":
    sys.exit(main())
