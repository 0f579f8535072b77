"""A small actor runtime on trio: supervised actors in a tree, to the contract in docs/semantics.md.

It knows nothing of tmux, agents or journals and is usable by itself; docs/actors.md has a worked example.
"""

from tmuxorc.actors._actor import Actor as Actor
from tmuxorc.actors._actor import ActorContext as ActorContext
from tmuxorc.actors._actor import Request as Request
from tmuxorc.actors._errors import ActorDied as ActorDied
from tmuxorc.actors._errors import CallDirectionError as CallDirectionError
from tmuxorc.actors._errors import CallTimeout as CallTimeout
from tmuxorc.actors._errors import DuplicateChild as DuplicateChild
from tmuxorc.actors._errors import GaveUp as GaveUp
from tmuxorc.actors._errors import MailboxFull as MailboxFull
from tmuxorc.actors._errors import NoSuchActor as NoSuchActor
from tmuxorc.actors._errors import NotUnderstood as NotUnderstood
from tmuxorc.actors._errors import StartTimedOut as StartTimedOut
from tmuxorc.actors._errors import Superseded as Superseded
from tmuxorc.actors._events import ChildExited as ChildExited
from tmuxorc.actors._events import ChildLeaked as ChildLeaked
from tmuxorc.actors._events import ChildQuarantined as ChildQuarantined
from tmuxorc.actors._events import ChildStarted as ChildStarted
from tmuxorc.actors._events import ChildStartFailed as ChildStartFailed
from tmuxorc.actors._events import ChildStopped as ChildStopped
from tmuxorc.actors._events import LifecycleEvent as LifecycleEvent
from tmuxorc.actors._events import RestartScheduled as RestartScheduled
from tmuxorc.actors._events import StoppedLate as StoppedLate
from tmuxorc.actors._events import SupervisorGaveUp as SupervisorGaveUp
from tmuxorc.actors._exits import ExitReason as ExitReason
from tmuxorc.actors._exits import Failed as Failed
from tmuxorc.actors._exits import Finished as Finished
from tmuxorc.actors._exits import Killed as Killed
from tmuxorc.actors._exits import StartFailed as StartFailed
from tmuxorc.actors._exits import StartTimeout as StartTimeout
from tmuxorc.actors._exits import Stopped as Stopped
from tmuxorc.actors._letters import DeadLetter as DeadLetter
from tmuxorc.actors._letters import DeadLetters as DeadLetters
from tmuxorc.actors._letters import DeadReason as DeadReason
from tmuxorc.actors._mailbox import Reply as Reply
from tmuxorc.actors._ref import ActorStatistics as ActorStatistics
from tmuxorc.actors._ref import Ref as Ref
from tmuxorc.actors._ref import SupervisorRef as SupervisorRef
from tmuxorc.actors._spec import Backoff as Backoff
from tmuxorc.actors._spec import ChildInfo as ChildInfo
from tmuxorc.actors._spec import ChildSpec as ChildSpec
from tmuxorc.actors._spec import ChildStatus as ChildStatus
from tmuxorc.actors._spec import SupervisorSpec as SupervisorSpec
from tmuxorc.actors._supervisor import Supervisor as Supervisor
from tmuxorc.actors._supervisor import supervisor_child as supervisor_child
from tmuxorc.actors._system import System as System
from tmuxorc.actors._system import open_system as open_system
from tmuxorc.model import AutoShutdown as AutoShutdown
from tmuxorc.model import Restart as Restart
from tmuxorc.model import Strategy as Strategy
