"""The delivery of messages to agents: which one is next, and how one is typed, submitted and proved.

All of it is plain code without I/O or a clock; the agent's actor performs the effects.
"""

from tmuxorc.delivery._effects import Advance as Advance
from tmuxorc.delivery._effects import Done as Done
from tmuxorc.delivery._effects import Effect as Effect
from tmuxorc.delivery._effects import Gate as Gate
from tmuxorc.delivery._effects import Hold as Hold
from tmuxorc.delivery._effects import Paste as Paste
from tmuxorc.delivery._effects import Press as Press
from tmuxorc.delivery._effects import ReadScreen as ReadScreen
from tmuxorc.delivery._effects import Result as Result
from tmuxorc.delivery._effects import Wait as Wait
from tmuxorc.delivery._marker import Marker as Marker
from tmuxorc.delivery._marker import Stage as Stage
from tmuxorc.delivery._marker import token_of as token_of
from tmuxorc.delivery.condition import condition as condition
from tmuxorc.delivery.ladder import Ladder as Ladder
from tmuxorc.delivery.outbox import Outbox as Outbox
from tmuxorc.delivery.text import MAX_BYTES as MAX_BYTES
from tmuxorc.delivery.text import OPERATOR as OPERATOR
from tmuxorc.delivery.text import TextError as TextError
from tmuxorc.delivery.text import check_sender as check_sender
from tmuxorc.delivery.text import check_text as check_text
from tmuxorc.delivery.text import framed as framed
