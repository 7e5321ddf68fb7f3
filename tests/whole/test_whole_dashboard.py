"""The dashboard of the real service: it is there, it changes by itself, it tells no secret, it is gone in time."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from pathlib import Path

from whole_world import PATIENT, STOPS_WITHIN, free_port, sandbox, signed_in, until

PATHS = (
    *("", "channel/alpha", "store", "store/alpha", "activity", "health", "settings"),
    *("api/status", "api/points", "api/store/alpha", "api/redemptions", "api/events", "api/chart/alpha", "metrics"),
)


def fetch(address: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    request = urllib.request.Request(address, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENT) as answer:
            return answer.status, answer.read().decode() + str(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_fc_43_fc_32_the_dashboard_of_a_running_service(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        port = free_port()
        machine.config.write_text(
            machine.config.read_text().replace('listen = ""', f'listen = "127.0.0.1:{port}"'), encoding="utf-8"
        )
        address = f"http://127.0.0.1:{port}/"
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: '"state":"present"' in fetch(f"{address}api/status")[1], what="in, and it is said")
            said = "".join(fetch(address + path)[1] for path in PATHS)
            assert fetch(address)[0] == 200
            assert box.token not in said
            assert box.refresh_token not in said
            assert "oauth:" not in said
            assert fetch(address, {"Host": "evil.example"})[0] == 421
            assert fetch(address, {"Origin": "https://evil.example"})[0] == 403
            assert fetch(f"{address}healthz")[0] == 200
            with socket.create_connection(("127.0.0.1", port)) as listening:
                listening.sendall(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
                assert listening.recv(15) == b"HTTP/1.1 200 OK"
                assert service.stop(within=STOPS_WITHIN) == 0, service.complains()
        assert fetch(address)[0] == 0
        assert f"The dashboard is at {address}" in service.complains()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box, socket.create_server(("127.0.0.1", 0)) as taken:
        machine = signed_in(tmp_path, box)
        listen = f'listen = "127.0.0.1:{taken.getsockname()[1]}"'
        machine.config.write_text(machine.config.read_text().replace('listen = ""', listen), encoding="utf-8")
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha"], what="in all the same")
            until(lambda: "cannot listen" in service.complains(), what="told")
            assert service.stop() == 0
