"""What must survive: desired state of teams and agents, messages with their rungs, the numbered stream of events.

SQLite with a write-ahead log, owned by one thread; see docs/journal.md for what is durable when.
"""

from tmuxorc.journal._errors import JournalBusyError as JournalBusyError
from tmuxorc.journal._errors import JournalCorruptError as JournalCorruptError
from tmuxorc.journal._errors import JournalFullError as JournalFullError
from tmuxorc.journal._errors import JournalNewerError as JournalNewerError
from tmuxorc.journal._errors import JournalReadOnlyError as JournalReadOnlyError
from tmuxorc.journal._errors import damaged as damaged
from tmuxorc.journal._errors import translated as translated
from tmuxorc.journal._journal import Journal as Journal
from tmuxorc.journal._journal import open_journal as open_journal
from tmuxorc.journal._records import AgentRecord as AgentRecord
from tmuxorc.journal._records import EventDraft as EventDraft
from tmuxorc.journal._records import NewMessage as NewMessage
from tmuxorc.journal._records import Snapshot as Snapshot
from tmuxorc.journal._records import TeamRecord as TeamRecord
from tmuxorc.journal._schema import check_version as check_version
