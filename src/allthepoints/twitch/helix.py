"""Helix: whom the account follows, who is live, who exists. Fulfils `ports.LiveApi`.

Theory. Silence is information here: a channel that was asked for and is missing from the answer is offline. So a read
must know exactly for whom it has an answer. `books` keeps that: what was answered, what came and made no sense;
everything that could not be learned is left out of `asked`, and so changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from allthepoints.base.clock import Clock
from allthepoints.base.errors import Limited, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, UserId
from allthepoints.core.actions import ReadLive
from allthepoints.core.facts import HelixPoints, LiveRead, UsersRead
from allthepoints.core.model import ChannelRef
from allthepoints.ports import FOLLOWS_SCOPE
from allthepoints.twitch import rows
from allthepoints.twitch.batches import Aside, Batch, Name, batches, halves, too_many
from allthepoints.twitch.books import Book, LiveBook, UsersBook
from allthepoints.twitch.http import checked, points
from allthepoints.twitch.rows import Page
from allthepoints.twitch.tokens import Bearer
from allthepoints.web import Answer, Ask, Client, bounded, decode, odd

FIRST = "100"
"""Rows of a page. The default of most lists is 20."""

MOST_PAGES = 200
"""Pages of one list. Nobody follows that many; a list without end is a fault."""

RESERVE = 10
"""Points of the 800 a minute that stay in the bucket, for what a person may be waiting for."""

NARROWING = 32
"""Calls that one read may spend on finding malformed names: two or three among a hundred are found with it."""

FALLBACK = 3600.0
"""Seconds for which Get Followed Streams is not tried again after it was refused."""


class HelixAuth(Protocol):
    """What a request is signed with (`twitch.tokens.TokenKeeper`)."""

    async def bearer(self, own: bool) -> Bearer:
        """The token to use; `own`: the person's, not the app's."""
        ...

    async def renew(self, refused: Secret) -> None:
        """`refused` was not accepted: have another."""
        ...


class Helix:
    """`base_url` is the endpoint with its `/helix`. `on_points` hears what the rate headers say, at every answer."""

    def __init__(
        self,
        client: Client,
        base_url: str,
        auth: HelixAuth,
        clock: Clock,
        on_points: Callable[[HelixPoints], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._base = base_url.rstrip("/")
        self._auth = auth
        self._clock = clock
        self._on_points = on_points
        self._points: dict[bool, HelixPoints] = {}
        self._aside = Aside()
        self._followed_again_at = 0.0

    async def follows(self, user_id: UserId) -> tuple[ChannelRef, ...]:
        """All channels the account follows, newest first, each once. All pages or an error."""
        found: dict[UserId, ChannelRef] = {}
        total = 0

        def take(answer: Answer, page: Page) -> None:
            nonlocal total
            channels = rows.follows(page.data)
            if page.data and not channels:
                raise odd(answer, "follows that make no sense")
            for channel in channels:
                found.setdefault(channel.id, channel)
            total = page.total or total

        whole = await self._pages("/channels/followed", "reading the follows", user_id, take)
        if whole:
            # Closed accounts are counted and not listed, but not by half: that is a list cut short.
            whole = 2 * len(found) >= total
        elif total:
            whole = len(found) >= total
        if not whole:
            raise Unknown(f"reading the follows: only {len(found)} of {total or 'many'} came")
        return tuple(found.values())

    async def live(self, ask: ReadLive) -> LiveRead:
        """Who is live, as far as it could be learned. Raises the trouble if nothing could."""
        book = LiveBook(ask)
        if ask.followed_by is not None:
            await self._followed_streams(ask.followed_by, book)
        malformed = await self._each(book.open(), "/streams", "reading who is live", book)
        if book.trouble.answers:
            self._aside.add(malformed, self._clock.now())
        now = self._clock.now()
        return book.read(now, self._aside.at(now))

    async def users(self, ids: frozenset[UserId], logins: frozenset[Login]) -> UsersRead:
        """Who exists, and under which login. All batches or an error; a name that Helix calls malformed is nobody's."""
        book = UsersBook(ids, logins)
        malformed = await self._each(book.open(), "/users", "looking up channels", book)
        if book.trouble.answers or len(book.open()) == 1:
            book.nobody(malformed)
        return book.read(self._clock.now())

    # -- lists in pages --------------------------------------------------------------------------------------------

    async def _followed_streams(self, user_id: UserId, book: LiveBook) -> None:
        """Ask for all that the account follows at once. Whoever is not learned of is then asked for by id."""
        if self._clock.now() < self._followed_again_at:
            return
        attributable = True

        def take(_answer: Answer, page: Page) -> None:
            nonlocal attributable
            attributable = book.take_followed(page) and attributable

        try:
            bearer = await self._auth.bearer(own=True)
            if bearer.scopes is not None and FOLLOWS_SCOPE not in bearer.scopes:
                return
            whole = await self._pages("/streams/followed", "reading who is live", user_id, take)
        except Refused as no:
            if no.status in (403, 404, 410) or _about_scope(no):
                self._followed_again_at = self._clock.now() + FALLBACK
            else:
                book.trouble.failed(no)
        except Unknown as error:
            book.trouble.failed(error)
        else:
            if whole and attributable:
                book.followed_whole()

    async def _pages(self, path: str, what: str, user_id: UserId, take: Callable[[Answer, Page], None]) -> bool:
        """Read page after page. False if the cursor came back to where it was, so that the end was not seen."""
        cursors: set[str] = set()
        after: list[tuple[str, str]] = []
        while len(cursors) < MOST_PAGES:
            answer = await self._get(path, what, [("user_id", user_id), ("first", FIRST), *after], own=True)
            page = decode(answer, Page)
            take(answer, page)
            if page.cursor is None:
                return True
            if page.cursor in cursors:
                return False
            cursors.add(page.cursor)
            after = [("after", page.cursor)]
        return False

    # -- many by name ----------------------------------------------------------------------------------------------

    async def _each(self, wanted: list[Name], path: str, what: str, book: Book) -> list[Name]:
        """Ask for these, 100 a call, and enter the answers into `book`. Answers the names that Helix calls malformed.

        A batch that is called malformed is halved until the one bad name stands alone.
        """
        aside = self._aside.at(self._clock.now())
        parts = deque(batches([name for name in wanted if name not in aside]))
        malformed = [name for name in wanted if name in aside]
        narrowing = NARROWING
        while parts and not book.trouble.out:
            part = parts.popleft()
            try:
                answer = await self._named(path, what, part)
                book.take(part, answer, decode(answer, Page))
            except Refused as no:
                if no.status != 400 or too_many(no):
                    book.trouble.failed(_our_fault(no) if too_many(no) else no)
                elif len(part) == 1:
                    malformed += part
                    book.trouble.errors.append(no)
                elif narrowing > 0:
                    narrowing -= 1
                    parts.extendleft(reversed(halves(part)))
                else:
                    book.trouble.failed(no)
            except OutsideError as error:
                book.trouble.failed(error)
        return malformed

    async def _named(self, path: str, what: str, part: Batch) -> Answer:
        prefix = "user_" if path == "/streams" else ""
        params = [(f"{prefix}{kind}", value) for kind, value in part]
        return await self._get(path, what, [*params, *([("first", FIRST)] if prefix else [])], own=False)

    # -- one request -----------------------------------------------------------------------------------------------

    async def _get(self, path: str, what: str, params: Sequence[tuple[str, str]], *, own: bool) -> Answer:
        """A good answer. A token that is refused is renewed once, and the request sent once more."""
        bearer = await self._auth.bearer(own)
        try:
            return await self._once(path, what, params, bearer)
        except Unauthorised as no:
            if _about_scope(no) or "do not match" in no.message.lower():
                raise
        await self._auth.renew(bearer.token)
        return await self._once(path, what, params, await self._auth.bearer(own))

    async def _once(self, path: str, what: str, params: Sequence[tuple[str, str]], bearer: Bearer) -> Answer:
        self._leave_reserve(bearer.app)
        client_id = {"Client-Id": bearer.client_id}
        ask = Ask("GET", self._base + path, what, params, token=bearer.token, headers=client_id)
        answer = await self._client.send(ask)
        self._note(bearer.app, answer)
        return checked(answer, self._clock.now(), errors_in_200=True)

    def _note(self, app: bool, answer: Answer) -> None:
        told = points(answer.headers)
        if told is not None:
            remaining, limit, reset = told
            self._points[app] = HelixPoints(self._clock.now(), remaining, limit, reset)
            self._on_points(self._points[app])

    def _leave_reserve(self, app: bool) -> None:
        """Raises Limited if the bucket is nearly empty and not refilled yet. App and person have a bucket each."""
        known = self._points.get(app)
        if known is None or known.remaining > min(RESERVE, known.limit // 10):
            return
        if self._clock.now() < (until := bounded(known.reset_at, known.at)):
            raise Limited(f"only {known.remaining} of {known.limit} Helix points are left", until)


def _about_scope(no: Refused) -> bool:
    return "scope" in no.message.lower()


def _our_fault(no: Refused) -> Unknown:
    return Unknown(f"a bug in allthepoints, please report it: a call held more than Helix allows ({no})")
