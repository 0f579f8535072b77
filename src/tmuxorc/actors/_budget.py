"""How often screens are read, all agents together."""

SHORTEST_GAP_S = 0.1
"""Between two readings of one agent's screen."""

READS_A_SECOND = 120
"""Of all agents together: past it each one's gap grows, so that a hundred spinners cannot eat a core."""


class ReadBudget:
    """Shares the readings among the agents whose output is moving."""

    def __init__(self) -> None:
        self.busy = 0

    @property
    def gap_s(self) -> float:
        """How long an agent waits between two readings just now, in seconds."""
        return max(SHORTEST_GAP_S, self.busy / READS_A_SECOND)
