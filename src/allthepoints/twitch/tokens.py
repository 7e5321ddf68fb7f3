"""The sign-in: which token is in use, when it is renewed, and when only a person can help.

Theory. An access token lives about four hours; its refresh token is worth one POST. Three things can go wrong with
that POST, and each has its rule:

    the answer is lost, or we die before it is kept   the file says `refresh_spent` before the POST leaves. While the
                                                      access token validates nothing more is sent; when it is dead, the
                                                      refresh token is tried again, because a no costs nothing then
    the new pair is lost after it came                nobody gets it before the file holds it
    several ask at once                               one POST; the others wait for its outcome (`flight`)

A clear no is remembered, in the file too: the refresh token is dropped, and no POST is made with it again. A no without
a reason, or with a status that the sign-in server does not use, is no clear no: it may be a lost answer like any other.

Tokens may come from the environment. The file remembers the fingerprint of the environment that its pair descends from
(`origin`): the same environment at the next start is older than the file and loses, a changed one is newer and wins.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from allthepoints.base.clock import Clock
from allthepoints.base.errors import FaultError, Limited, NotSent, Refused, SignInNeeded, Unauthorised, Unknown
from allthepoints.base.secret import Secret
from allthepoints.core.model import Account
from allthepoints.ports import SignIn, StoredTokens, TokenStore
from allthepoints.twitch.apptoken import AppToken
from allthepoints.twitch.flight import SingleFlight
from allthepoints.twitch.oauth import Grant, OAuth, Validated
from allthepoints.twitch.signin import (
    PUBLIC_APP,
    SIGN_IN,
    Environment,
    account_of,
    fingerprint,
    in_use,
    judge,
    later,
    sendable,
    sign_in,
)

YOUNG = 600.0
"""Seconds. A token this young that is refused is validated before it is renewed: when Helix or the chat refuses good
tokens, another one will not help, and must not be asked for at every poll."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a Helix request needs. `scopes` None: not known yet. `app`: the app's own token, with its own budget."""

    token: Secret
    client_id: str
    scopes: frozenset[str] | None
    app: bool = False


class TokenKeeper:
    """Fulfils `ports.Tokens`, and gives Helix its bearer."""

    def __init__(
        self,
        oauth: OAuth,
        store: TokenStore,
        clock: Clock,
        *,
        client_id: str,
        environment: Environment,
    ) -> None:
        self._oauth = oauth
        self._store = store
        self._clock = clock
        self._client_id = client_id
        self._client_secret = environment.client_secret or None
        self._app = AppToken(oauth, clock, self._client_secret) if self._client_secret else None
        self._checks = SingleFlight[SignIn]("check-sign-in")
        self._renewals = SingleFlight[None]("renew-sign-in")
        self._refreshes = SingleFlight[None]("refresh-token")
        self._ended: SignInNeeded | None = None
        self._unrenewable: tuple[Secret, SignInNeeded] | None = None
        self._unsaved: StoredTokens | None = None

        self._origin = fingerprint(environment)
        stored = store.load()
        self._account = account_of(stored)
        self._held = in_use(stored, environment, clock.now())
        self._in_file = stored is not None and self._held is stored

    def runs_for(self, account: Account | None) -> None:
        """Whom all that was recorded here is about. A stored sign-in says it better: it may be meant to differ."""
        if self._account is None:
            self._account = account

    def chat_token(self) -> Secret:
        """The user token for PASS. Raises SignInNeeded when there is none that may be used."""
        if self._held is None or self._ended is not None:
            self._look_again()
        return self._present().access

    def remembered(self) -> SignIn | None:
        """The sign-in as it was when it last validated; None if it never did, or has ended since."""
        account = account_of(self._held)
        if self._held is None or account is None or self._ended is not None:
            return None
        return sign_in(self._held, account)

    async def check(self) -> SignIn:
        """Validate the present token; if it is dead, refresh once and validate the new one.

        Raises SignInNeeded or Unknown. Nothing is overwritten by a token of another account.
        """
        return await self._checks.run(self._check)

    async def renew(self, refused: Secret) -> None:
        """Make sure that `refused` is not the present token any more. Raises SignInNeeded or Unknown."""
        if self._app is not None and self._app.drop(refused):
            return
        await self._renewals.run(lambda: self._renew(refused))

    async def bearer(self, own: bool) -> Bearer:
        """What to send to Helix. `own`: the read needs the person's own token, not the app's."""
        if self._app is not None and not own:
            return Bearer(await self._app.get(), self._client_id, None, app=True)
        if self._held is None or self._ended is not None:
            self._look_again()
        held = self._present(access_needed=False)
        if not (held.access and held.client_id):
            await self.check()
            held = self._present()
        return Bearer(held.access, held.client_id, frozenset(held.scopes) if held.scopes else None)

    async def adopt(self, grant: Grant, *, switch: bool = False) -> SignIn:
        """Take a new sign-in, once it validates; until then the old one stays untouched.

        `switch`: another account than the present one will do. Raises SignInNeeded if it is of the wrong kind or
        account, Unknown, FaultError if it cannot be kept.
        """
        try:
            described = await self._validate(grant.access)
        except Unauthorised as no:
            raise Unknown(f"Twitch gave a token and does not accept it: {no}") from None
        account = judge(described, None if switch else self._account)
        now = self._clock.now()
        pair = StoredTokens(
            grant.access,
            grant.refresh,
            described.client_id,
            account.login,
            account.user_id,
            tuple(sorted(described.scopes)),
            now,
            later(now, described.expires_in),
            origin=self._origin,
        )
        self._store.save(pair)
        self._unsaved = None
        self._hold(pair)
        self._account = account
        return sign_in(pair, account)

    async def sign_out(self) -> bool:
        """Revoke the sign-in and forget it. False: it is forgotten here, but Twitch could not be told."""
        held, told = self._held, True
        if held is not None and held.access:
            try:
                await self._oauth.revoke(held.access, held.client_id or None)
            except (Unknown, Refused):
                told = False
        self._store.forget()
        self._held, self._unsaved, self._in_file = None, None, False
        return told

    async def aclose(self, patience: float = 3.0) -> None:
        """Give what is under way so many seconds to end."""
        for flight in (self._refreshes, self._renewals, self._checks):
            await flight.aclose(patience)
        if self._app is not None:
            await self._app.aclose(patience)

    # -- checking --------------------------------------------------------------------------------------------------

    async def _check(self) -> SignIn:
        self._look_again()
        with suppress(Unknown):
            self._save_new_pair()
        try:
            described = await self._described()
            account = judge(described, self._account)
        except SignInNeeded as needed:
            self._ended = needed
            raise
        self._account = account
        held = self._present()
        now = self._clock.now()
        known = replace(
            held,
            client_id=described.client_id,
            login=account.login,
            user_id=account.user_id,
            scopes=tuple(sorted(described.scopes)),
            expires_at=later(now, described.expires_in),
        )
        changed = replace(known, expires_at=held.expires_at) != held
        self._held = known
        if self._in_file and changed:
            self._keep(known)
        return sign_in(known, account)

    async def _described(self) -> Validated:
        """What Twitch says of the present token, or of the one that replaces it if it is dead."""
        held = self._present(access_needed=False)
        if held.access:
            try:
                return await self._validate(held.access)
            except Unauthorised:
                pass
        await self._refreshes.run(lambda: self._refresh(held.access, dead=True))
        try:
            return await self._validate(self._present().access)
        except Unauthorised:
            pass
        raise Unknown("Twitch gave a new token and does not accept it yet")

    async def _renew(self, refused: Secret) -> None:
        self._look_again()
        held = self._present(access_needed=False)
        if held.access != refused:
            return
        young = self._in_file and self._clock.now() - held.obtained_at < YOUNG
        dead = False
        if young or held.refresh_spent or self._no_renewal(held):
            dead = not await self._lives(refused)
            if not dead:
                raise Unknown("a token was refused that Twitch itself calls valid; it is not renewed now")
        await self._refreshes.run(lambda: self._refresh(refused, dead=dead))

    async def _lives(self, token: Secret) -> bool:
        try:
            await self._validate(token)
        except Unauthorised:
            return False
        return True

    async def _validate(self, token: Secret) -> Validated:
        """Raises Unauthorised (it is dead) or Unknown, nothing else."""
        try:
            return await self._oauth.validate(token)
        except Unauthorised:
            raise
        except Refused as no:
            odd = str(no)
        raise Unknown(odd)

    # -- renewing --------------------------------------------------------------------------------------------------

    async def _refresh(self, old: Secret, *, dead: bool) -> None:
        """One POST at most. `dead`: Twitch itself said that `old` does not live any more."""
        self._save_new_pair()
        self._look_again()
        held = self._present(access_needed=False)
        if held.access != old:
            return
        if needed := self._no_renewal(held):
            raise self._end(needed)
        if held.refresh is None or not self._keep(replace(held, refresh_spent=True)):
            raise Unknown("the token file cannot be written, so the sign-in is not renewed")
        self._held = replace(held, refresh_spent=True)
        client_id = held.client_id or self._client_id
        secret = self._client_secret if client_id == self._client_id else None
        try:
            grant = await self._oauth.refresh(held.refresh, client_id, secret)
        except (NotSent, Limited):
            self._take_back(held)
            raise
        except Refused as no:
            if not _is_final(no):
                raise Unknown(str(no)) from None
            refusal = no
        else:
            self._unsaved = self._pair(grant, held, client_id)
            self._save_new_pair()
            return
        raise await self._refused(held, refusal, dead)

    def _no_renewal(self, held: StoredTokens) -> SignInNeeded | None:
        """Why these tokens cannot be renewed, if that is known."""
        if held.refresh is None:
            return SignInNeeded("the sign-in has ended, and there is no refresh token to renew it", SIGN_IN)
        if self._unrenewable is not None and self._unrenewable[0] == held.refresh:
            return self._unrenewable[1]
        return None

    def _take_back(self, held: StoredTokens) -> None:
        """The refresh token was not looked at, or not spent: it is as good as before."""
        self._held = held
        self._keep(held)

    def _pair(self, grant: Grant, held: StoredTokens, client_id: str) -> StoredTokens:
        now = self._clock.now()
        return replace(
            held,
            access=grant.access,
            refresh=grant.refresh or held.refresh,
            client_id=client_id,
            scopes=grant.scopes or held.scopes,
            login=held.login or (self._account.login if self._account else None),
            user_id=held.user_id or (self._account.user_id if self._account else None),
            obtained_at=now,
            expires_at=later(now, grant.expires_in),
            refresh_spent=False,
        )

    def _save_new_pair(self) -> None:
        """Put the pair that came last into the file, and only then into use."""
        if self._unsaved is None:
            return
        if not self._keep(self._unsaved):
            raise Unknown("the new sign-in cannot be written to the token file, so it is not used yet")
        pair, self._unsaved = self._unsaved, None
        self._hold(pair)

    async def _refused(self, held: StoredTokens, no: Refused, dead: bool) -> SignInNeeded | Unknown:
        """The error to raise after a clear no, which is remembered. A token that still lives stays in use."""
        left = held
        message = no.message.lower()
        if "client secret" in message:
            needed = SignInNeeded("Twitch wants a client secret to renew this sign-in", PUBLIC_APP)
        elif "refresh token" in message or isinstance(no, Unauthorised):
            needed = SignInNeeded("the sign-in has ended: Twitch does not accept the refresh token any more", SIGN_IN)
            left = replace(held, refresh=None, refresh_spent=False)
        else:
            needed = SignInNeeded(f"Twitch does not renew the sign-in: {no.message or no}", SIGN_IN)
        if held.refresh is not None:
            self._unrenewable = (held.refresh, needed)
        self._take_back(left)
        if not dead and await self._lives(held.access):
            return Unknown(f"{needed}; the present token still lives")
        return self._end(needed)

    # -- what is held ----------------------------------------------------------------------------------------------

    def _present(self, access_needed: bool = True) -> StoredTokens:
        if self._ended is not None:
            raise SignInNeeded(str(self._ended), self._ended.hint)
        held = self._held
        if held is None or (access_needed and not held.access):
            raise SignInNeeded("not signed in to Twitch", SIGN_IN)
        if not (sendable(held.access) and sendable(held.refresh)):
            raise SignInNeeded(
                "the Twitch token holds characters that no token has", "Check ALLTHEPOINTS_TWITCH_TOKEN."
            )
        return held

    def _look_again(self) -> None:
        """Take a newer sign-in from the file: another process may have signed in, and as another account if meant.
        Where the file that held ours is gone, it signed out: what we remember must not bring it back."""
        try:
            stored = self._store.load()
        except FaultError:
            return  # what we hold is as good as it was
        if stored is None and self._in_file:
            self._held, self._unsaved, self._in_file = None, None, False
        if stored is None or (self._origin and stored.origin != self._origin):
            return
        held = self._unsaved or self._held
        if held is None or (stored.access != held.access and stored.obtained_at > held.obtained_at):
            self._unsaved = None
            self._in_file = True
            self._hold(stored)
            self._account = account_of(stored) or self._account

    def _hold(self, tokens: StoredTokens) -> None:
        self._held = tokens
        self._ended = None

    def _keep(self, tokens: StoredTokens) -> bool:
        """Whether the file took it. One that holds only a refresh token is no sign-in, and is not kept."""
        if not tokens.access:
            return True
        try:
            self._store.save(tokens)
        except FaultError:
            return False
        self._in_file = True
        return True

    def _end(self, needed: SignInNeeded) -> SignInNeeded:
        self._ended = SignInNeeded(str(needed), needed.hint)
        return needed


def _is_final(no: Refused) -> bool:
    """Whether the sign-in server itself says no: with these it does, and it says why. A bare 401 or a 404 is what
    stands before it, on a bad day."""
    return no.status in (400, 401, 403) and no.message != ""
