"""Speaking: what users say and know again, as whoever sends a message before anything is measured asks it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from loadtest.load.talk import USER, Reaches, Talk

Frame = str | bytes


class Speaker(Protocol):
    """The users of a trial, by their numbers; the first ones are in one room."""

    @property
    def reaches(self) -> Reaches:
        """Who gets what a user says."""

    @property
    def awaited(self) -> str:
        """What has not come, as a sentence begins, where joining is not answered; empty: nothing is waited for."""

    @property
    def advice(self) -> str:
        """What says what users send, for an error."""

    @property
    def ack_advice(self) -> str:
        """What tells messages from acknowledgements, for an error."""

    @property
    def overlooked(self) -> str:
        """What takes a frame with the marker for none, for an error."""

    def address(self, url: str, user: int) -> str:
        """Return where a user connects, at a target whose address this is."""

    def joining(self, user: int) -> Sequence[Frame]:
        """Return what a user sends when its connection has opened."""

    def is_expected(self, user: int, frame: Frame) -> bool:
        """Tell whether a frame is what is waited for after joining."""

    def frame(self, user: int, marker: str, number: int) -> Frame:
        """Return a user's message with that marker, the message of that number."""

    def find(self, user: int, frame: Frame) -> str | None:
        """Return the marker in a frame that has come to a user; None where it is no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """Users that say what templates say."""

    talk: Talk

    advice: Final = "--message says what users send, --join what they send before"
    ack_advice: Final = "--ack 'TEXT' says by which text an acknowledgement is known"
    overlooked: Final = "--ack has a frame that has it taken for an acknowledgement"

    @property
    def reaches(self) -> Reaches:
        """Who gets what a user says."""
        return self.talk.reaches

    @property
    def awaited(self) -> str:
        """What has not come where joining is not answered."""
        return f"no frame with {self.talk.expect!r} came after joining" if self.talk.expect else ""

    def address(self, url: str, user: int) -> str:
        """Return where a user connects: {user} stands for its number."""
        return url.replace(USER, str(user))

    def joining(self, user: int) -> Sequence[Frame]:
        """Return what a user sends when its connection has opened."""
        return self.talk.joining(room=0, user=user)

    def is_expected(self, _user: int, frame: Frame) -> bool:
        """Tell whether a frame is what is waited for after joining."""
        return self.talk.is_expected(frame)

    def frame(self, user: int, marker: str, number: int) -> Frame:
        """Return a user's message with that marker."""
        return self.talk.of_user(room=0, user=user).frame(marker, number)

    def find(self, _user: int, frame: Frame) -> str | None:
        """Return the marker in a frame that has come."""
        return self.talk.find(frame)
