"""A structure oracle: one actor of a live tree fails; who restarts follows from the specs, and nobody else does."""

from dataclasses import dataclass, field

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.unit.actors._probe import Crash, Record
from tmuxorc.actors import ChildSpec, ChildStarted, Restart, Strategy, SupervisorSpec, open_system, supervisor_child


@dataclass
class Node:
    """A supervisor (with `children`) or a leaf.  A supervisor with `fragile` gives up at the first restart."""

    path: str = ""
    strategy: Strategy = Strategy.ONE_FOR_ONE
    restart: Restart = Restart.PERMANENT
    fragile: bool = False
    children: list["Node"] = field(default_factory=list)
    leaf: bool = True

    def named(self, path: str) -> "Node":
        self.path = path
        for i, child in enumerate(self.children):
            child.named(f"{path}/{i}".removeprefix("/"))
        return self

    def below(self) -> list["Node"]:
        """It and all below it."""
        return [self, *(node for child in self.children for node in child.below())]

    def spec(self, record: Record) -> SupervisorSpec:
        children = tuple(child.child(record) for child in self.children)
        return SupervisorSpec(
            strategy=self.strategy, intensity=0 if self.fragile else 1000, period_s=1.0, children=children
        )

    def child(self, record: Record) -> ChildSpec:
        id = self.path.rpartition("/")[2]
        if self.leaf:
            return record.spec(id, self.restart)
        return supervisor_child(id, self.spec(record))


leaves = st.builds(Node, restart=st.sampled_from(Restart))
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        Node,
        strategy=st.sampled_from(Strategy),
        fragile=st.booleans(),
        children=st.lists(inner, min_size=1, max_size=3),
        leaf=st.just(False),
    ),
    max_leaves=8,
).filter(lambda node: not node.leaf)


def expected(root: Node, victim: Node) -> tuple[set[str], set[str]]:
    """The paths that restart, and those that end for good, when `victim` fails."""
    parent = next(node for node in root.below() if victim in node.children)
    if victim.leaf and victim.restart is Restart.TEMPORARY:
        return set(), {victim.path}
    if parent.fragile:
        return expected(root, parent)
    at = parent.children.index(victim)
    members = {
        Strategy.ONE_FOR_ONE: [victim],
        Strategy.REST_FOR_ONE: parent.children[at:],
        Strategy.ONE_FOR_ALL: parent.children,
    }[parent.strategy]
    gone = {m.path for m in members if m.leaf and m.restart is Restart.TEMPORARY}
    back = {node.path for m in members if m.path not in gone for node in m.below()}
    return back, gone


async def check(root: Node, victim: Node) -> None:
    record = Record()
    async with open_system(root.spec(record), on_event=record.on_event) as system:
        before = len(record.events)
        system.ref(victim.path).cast_nowait(Crash(ValueError("boom")))
        await wait_all_tasks_blocked(cushion=0.001)
        back, gone = expected(root, victim)
        started = [event.path for event in record.events[before:] if isinstance(event, ChildStarted)]
        assert sorted(started) == sorted(back), "each of them once, and nobody else"
        alive = {node.path for node in root.below()[1:] if system.ref(node.path).statistics().alive}
        assert alive == {node.path for node in root.below()[1:]} - gone


@settings(max_examples=100, deadline=None)
@given(st.data(), trees)
def test_what_dies_follows_from_the_specs(data: st.DataObject, root: Node) -> None:
    """S2, S8, S9: over any tree of supervisors."""
    root.named("").fragile = False
    victims = [node for node in root.below() if node.leaf]
    victim = data.draw(st.sampled_from(victims))

    async def main() -> None:
        await check(root, victim)

    trio.run(main, clock=MockClock(autojump_threshold=0))
