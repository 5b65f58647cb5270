"""The first bytes of a stream: both ends speak one version and prove that they know the token.

    server: magic, version, its nonce
    client: magic, version, the client's id, its nonce, its proof
    server: its proof, or nothing where it refuses

A proof is an HMAC-SHA256 of all nonces and the id, so the token itself crosses no network, and what
was overheard proves nothing at the next connection.
"""

import hmac
import secrets
import struct

from actors.platform.errors import StreamBrokenError

# Grows with what is said over a stream too: events cross it in the newest layout of the log.
VERSION = 2
_MAGIC = b"FKST"
ID_BYTES = 16
_GREETING = struct.Struct("4sB16s")
_HELLO = struct.Struct("4sB16s16s32s")
GREETING_BYTES = _GREETING.size
HELLO_BYTES = _HELLO.size
PROOF_BYTES = 32


class ServerHandshake:
    """The side that is connected to."""

    def __init__(self, token: str) -> None:
        self._token = _key(token)
        self._nonce = secrets.token_bytes(ID_BYTES)

    def greeting(self) -> bytes:
        """Return what the server says first."""
        return _GREETING.pack(_MAGIC, VERSION, self._nonce)

    def admit(self, hello: bytes) -> tuple[bytes, bytes]:
        """Return the client's id and what to answer it. Raises StreamBrokenError for a stranger."""
        magic, version, client_id, nonce, proof = _HELLO.unpack(hello)
        _check_version(magic, version)
        said = self._nonce + nonce + client_id
        if not hmac.compare_digest(proof, _proof(self._token, b"client", said)):
            raise StreamBrokenError("the token is not the platform's")
        return client_id, _proof(self._token, b"server", said)


class ClientHandshake:
    """The side that connects."""

    def __init__(self, token: str, client_id: bytes) -> None:
        self._token = _key(token)
        self._client_id = client_id
        self._said = b""

    def hello(self, greeting: bytes) -> bytes:
        """Return the answer to a greeting. Raises StreamBrokenError for another version."""
        magic, version, server_nonce = _GREETING.unpack(greeting)
        _check_version(magic, version)
        nonce = secrets.token_bytes(ID_BYTES)
        self._said = server_nonce + nonce + self._client_id
        proof = _proof(self._token, b"client", self._said)
        return _HELLO.pack(_MAGIC, VERSION, self._client_id, nonce, proof)

    def check(self, proof: bytes) -> None:
        """Raise StreamBrokenError where the server does not know the token."""
        if not hmac.compare_digest(proof, _proof(self._token, b"server", self._said)):
            raise StreamBrokenError("the server does not know the platform's token")


def _key(token: str) -> bytes:
    if not token:
        raise ValueError("a stream needs a token")
    return token.encode()


def _proof(key: bytes, side: bytes, said: bytes) -> bytes:
    return hmac.digest(key, side + said, "sha256")


def _check_version(magic: bytes, version: int) -> None:
    if magic != _MAGIC:
        raise StreamBrokenError("what answers there is no stream")
    if version != VERSION:
        raise StreamBrokenError(f"the peer speaks version {version}, not {VERSION}")
