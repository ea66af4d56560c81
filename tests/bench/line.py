"""A counter's connection as benchmarks use it: plain `http.client`, kept open, so that the load itself costs little."""

import http.client
from typing import Any

from tests.service import Service, claim


class Line:
    """One person with a claimed rack, on one connection."""

    def __init__(self, service: Service) -> None:
        person = service.person()
        self.grant: dict[str, Any] = claim(person, service.rack("bench"))
        self._headers = {"Authorization": person.headers["Authorization"], "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection("127.0.0.1", service.settings.api_port)

    def call(self, method: str, path: str, body: bytes = b"", status: int = 200) -> bytes:
        """The body of the reply, which has that status."""
        self._connection.request(method, path, body, self._headers)
        reply = self._connection.getresponse()
        content = reply.read()
        assert reply.status == status, content[:300]
        return content

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
