"""The variables by which a program takes itself for the child of an agent; neither the supervisor nor agents have them.

Exact names: the same prefixes carry a person's settings and logins (``CLAUDE_CODE_USE_BEDROCK``, ``CODEX_HOME``).
"""

MARKERS = frozenset(
    {
        "CLAUDECODE",
        "CLAUDE_CODE_CHILD_SESSION",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_EXECPATH",
        "CLAUDE_CODE_MESSAGING_SOCKET",
        "CLAUDE_CODE_MESSAGING_TOKEN",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_PID",
        "CODEX_CI",
        "CODEX_INTERNAL_ORIGINATOR_OVERRIDE",
        "CODEX_SANDBOX",
        "CODEX_SANDBOX_NETWORK_DISABLED",
        "CODEX_THREAD_ID",
        "CURSOR_AGENT",
        "GEMINI_CLI",
        "OPENCODE",
        "OPENCODE_PID",
        "QWEN_CODE",
    }
)
"""What the programs themselves set for what they run: who their parent is, its process, its sandbox, its sockets."""

OWN_PREFIX = "TMUX_ORC_"
"""Begins our own variables: each agent is given its own, and inherits nobody else's."""


def is_marker(name: str) -> bool:
    """Whether the variable `name` says inside which agent a process runs."""
    return name in MARKERS or name.startswith(OWN_PREFIX)
