"""id.twitch.tv: device codes, tokens, refresh, validate, revoke. Strict about who sends what."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from allthepoints.base.clock import Clock
from allthepoints.sim.tally import Journal
from allthepoints.sim.tokens import APP_TOKEN_LIFE, DEVICE_INTERVAL, DEVICE_LIFE, Pair, RefreshToken, TokenBook
from allthepoints.sim.troubles import Troubles
from allthepoints.sim.web import Problem, answer, cut, oauth_error, troubled, wait_or_gone
from allthepoints.sim.world import User, World

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

_EARLY = 0.5
"""Seconds by which a poll for a device code may be early."""

Form = dict[str, str]


class OAuth:
    """The endpoints over the token book. `person` is who approves device codes, `approve_after` how soon by itself."""

    def __init__(
        self,
        world: World,
        journal: Journal,
        tokens: TokenBook,
        troubles: Troubles,
        clock: Clock,
        person: User,
        approve_after: float | None,
    ) -> None:
        self._world = world
        self._journal = journal
        self._tokens = tokens
        self._troubles = troubles
        self._clock = clock
        self._person = person
        self._approve_after = approve_after

    def routes(self) -> list[BaseRoute]:
        """To be mounted under /oauth2."""
        return [
            Route("/device", self._posted("/device", self._device), methods=["GET", "POST"]),
            Route("/token", self._token, methods=["GET", "POST"]),
            Route("/revoke", self._posted("/revoke", self._revoke), methods=["GET", "POST"]),
            Route("/validate", self._validate, methods=["GET", "POST"]),
            Route("/{path:path}", self._unknown, methods=["GET", "POST"]),
        ]

    # -- device code -----------------------------------------------------------------------------------------------
    def _device(self, form: Form) -> Response:
        self._client(form)
        if "scopes" not in form:
            self._odd("device request without scopes")
        if self._strikes("device_missing_code"):
            return answer({"expires_in": int(DEVICE_LIFE), "interval": int(DEVICE_INTERVAL)})
        scopes = tuple(form.get("scopes", "").split())
        now = self._clock.now()
        code = self._tokens.begin_device(form["client_id"], scopes, self._person.id, now, self._approve_after)
        return answer(
            {
                "device_code": code.text,
                "expires_in": int(DEVICE_LIFE),
                "interval": int(DEVICE_INTERVAL),
                "user_code": code.user_code,
                "verification_uri": f"https://www.twitch.tv/activate?public=true&device-code={code.user_code}",
            }
        )

    def _exchange_device(self, form: Form) -> Response:
        now = self._clock.now()
        code = self._tokens.device(form.get("device_code", ""), now)
        if code is None or code.client_id != form["client_id"] or code.denied:
            raise Problem(400, "invalid device code")
        if "scopes" not in form:
            self._odd("poll for a device code without scopes")
        if code.polled_at is not None and now - code.polled_at < DEVICE_INTERVAL - _EARLY:
            self._odd("polled for a device code faster than its interval")
        code.polled_at = now
        if self._strikes("device_slow_down"):
            raise Problem(400, "slow_down")
        if code.approve_at is None or now < code.approve_at:
            raise Problem(400, "authorization_pending")
        code.used = True
        return self._pair(self._tokens.issue(code.user_id, code.client_id, code.scopes, now), code.scopes)

    # -- tokens ----------------------------------------------------------------------------------------------------
    async def _token(self, request: Request) -> Response:
        self._journal.oauth["/token"] += 1
        response = await troubled(request, self._troubles, self._clock)
        if response is not None:
            return response
        try:
            form = await self._form(request)
            self._client(form)
            grant = form.get("grant_type", "")
            if grant == "refresh_token":
                return await self._refresh(request, form)
            if grant == DEVICE_GRANT:
                return self._exchange_device(form)
            if grant == "client_credentials":
                return self._client_credentials(form)
            self._odd("unknown grant_type")
            raise Problem(400, "unsupported grant type" if grant else "missing grant type")
        except Problem as problem:
            return _refusal(problem)

    async def _refresh(self, request: Request, form: Form) -> Response:
        if self._strikes("refresh_invalid"):
            raise Problem(400, "Invalid refresh token")
        if self._strikes("refresh_not_public"):
            raise Problem(400, "missing client secret")
        token = self._good_refresh(form)
        now = self._clock.now()
        if self._strikes("refresh_no_pair"):
            access = self._tokens.issue(token.user_id, token.client_id, token.scopes, now).access
            return self._pair(Pair(access, ""), token.scopes)
        pair = self._tokens.renew(token, now)
        self._journal.refreshes += 1
        lost = self._troubles.take("refresh_lost", now)
        if lost is None:
            return self._pair(pair, token.scopes)
        if lost["how"] == "hang":
            await wait_or_gone(request, self._clock, 3600.0)
        return await cut(request)

    def _good_refresh(self, form: Form) -> RefreshToken:
        token = self._tokens.refresh(form.get("refresh_token", ""))
        if token is not None and token.used:
            self._journal.refresh_reuse += 1
            self._journal.refresh_reuse_early += self._tokens.valid(token.access, self._clock.now()) is not None
        if (
            token is None
            or token.used
            or token.revoked
            or token.client_id != form["client_id"]
            or (self._clock.now() >= token.expires_at and token.client_id not in self._tokens.confidential)
        ):
            raise Problem(400, "Invalid refresh token")
        return token

    def _client_credentials(self, form: Form) -> Response:
        if form["client_id"] not in self._tokens.confidential:
            self._odd("client credentials from a Public client")
            raise Problem(403, "invalid client secret")
        token = self._tokens.issue_app(form["client_id"], self._clock.now())
        return answer({"access_token": token, "expires_in": int(APP_TOKEN_LIFE), "token_type": "bearer"})

    def _revoke(self, form: Form) -> Response:
        if "client_id" not in form:
            raise Problem(400, "missing client id")
        if not self._tokens.revoke(form.get("token", "")):
            raise Problem(400, "Invalid token")
        return Response(status_code=200)

    async def _validate(self, request: Request) -> Response:
        self._journal.oauth["/validate"] += 1
        response = await troubled(request, self._troubles, self._clock)
        if response is not None:
            return response
        now = self._clock.now()
        if (fault := self._troubles.take("validate_status", now)) is not None:
            return oauth_error(fault["code"], fault["message"])
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme not in ("OAuth", "Bearer"):
            self._odd("validate without an Authorization header")
            return oauth_error(401, "missing authorization token")
        token = self._tokens.valid(text, now)
        if token is None:
            return oauth_error(401, "invalid access token")
        user = self._world.users.get(token.user_id or "")
        whose = {"login": user.login, "user_id": user.id} if user is not None else {}
        scopes = list(token.scopes) or None
        if (wrong := self._troubles.take("validate_as", now)) is not None:
            whose, scopes = _taken_for(wrong["kind"], whose, scopes)
        expires_in = int(token.expires_at - now)
        return answer({"client_id": token.client_id, **whose, "scopes": scopes, "expires_in": expires_in})

    async def _unknown(self, request: Request) -> Response:
        self._odd(f"unknown endpoint {request.method} {request.scope['path'][:64]}")
        return oauth_error(404, "not found")

    # -- one call --------------------------------------------------------------------------------------------------
    def _posted(self, path: str, handler: Callable[[Form], Response]) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            self._journal.oauth[path] += 1
            response = await troubled(request, self._troubles, self._clock)
            if response is not None:
                return response
            try:
                return handler(await self._form(request))
            except Problem as problem:
                return _refusal(problem)

        return endpoint

    async def _form(self, request: Request) -> Form:
        if request.method != "POST":
            self._odd(f"{request.method} {request.scope['path']}")
            raise Problem(405, "method not allowed")
        if request.scope["query_string"]:
            self._odd("parameters in the address, where they are logged")
        body = (await request.body()).decode("utf-8", "replace")
        return {**dict(request.query_params), **dict(parse_qsl(body, keep_blank_values=True))}

    def _client(self, form: Form) -> None:
        """A client id that may be; a secret from those who have one, and from no one else. Raises Problem."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret")
        if not client_id:
            self._odd("no client_id")
            raise Problem(400, "missing client id")
        expected = self._tokens.confidential.get(client_id)
        if expected is None and secret is not None:
            self._odd("client_secret for a Public client")
            raise Problem(403, "invalid client secret")
        if expected is not None and form.get("grant_type") != DEVICE_GRANT and "grant_type" in form:
            if secret is None:
                raise Problem(400, "missing client secret")
            if secret != expected:
                raise Problem(403, "invalid client secret")

    def _pair(self, pair: Pair, scopes: tuple[str, ...]) -> Response:
        refresh = {"refresh_token": pair.refresh} if pair.refresh else {}
        life = int(self._tokens.access_life)
        body = {"access_token": pair.access, "expires_in": life, **refresh, "scope": list(scopes)}
        return answer({**body, "token_type": "bearer"})

    def _strikes(self, fault: str) -> bool:
        return self._troubles.take(fault, self._clock.now()) is not None

    def _odd(self, text: str) -> None:
        self._journal.odd(f"OAuth: {text}")


def _taken_for(kind: str, whose: dict[str, str], scopes: list[str] | None) -> tuple[dict[str, str], list[str] | None]:
    """Whose token it is said to be, and what it may do."""
    if kind == "account":
        return {"login": "somebody_else", "user_id": "999999999"}, scopes
    if kind == "app":
        return {}, None
    return whose, [scope for scope in scopes or () if scope != "chat:read"] or None


def _refusal(problem: Problem) -> Response:
    if problem.message == "Invalid refresh token":
        return answer({"error": "Bad Request", "status": 400, "message": problem.message}, 400)
    return oauth_error(problem.status, problem.message)
