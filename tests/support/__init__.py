"""What tests of several parts share: isolated homes, the leak gate, private tmux servers, whole processes."""

from tests.support.homes import Home as Home
from tests.support.homes import make_home as make_home
from tests.support.leaks import LeakGate as LeakGate
from tests.support.programs import Cli as Cli
from tests.support.programs import Completed as Completed
from tests.support.programs import Supervisor as Supervisor
from tests.support.servers import TmuxServer as TmuxServer
from tests.support.servers import find_test_tmux as find_test_tmux
from tests.support.waiting import wait_gone as wait_gone
