"""The body of an answer as it arrives: decompressed where it must be, and never more of it than was asked for."""

import zlib

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_GZIP = frozenset({"gzip", "x-gzip"})


class CorruptBodyError(Exception):
    """The body is not what its Content-Encoding says."""


class Body:
    """Takes the bytes of one body and keeps at most `limit` of them, counted after decompression."""

    __slots__ = ("_inflate", "_kept", "_limit", "_raw_deflate", "_size", "truncated")

    def __init__(self, encoding: str | None, limit: int) -> None:
        coding = encoding.strip().lower() if encoding else ""
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB) if coding in _GZIP or coding == "deflate" else None
        self._raw_deflate = coding == "deflate"
        self._kept: list[bytes] = []
        self._size = 0
        self._limit = limit
        self.truncated = False

    def feed(self, data: bytes) -> bool:
        """Take what arrived; whether there was more than the limit."""
        piece = data if self._inflate is None else self._inflated(data)
        room = self._limit - self._size
        if len(piece) > room:
            self.truncated = True
            piece = piece[:room]
        self._kept.append(piece)
        self._size += len(piece)
        return self.truncated

    def whole(self) -> bytes:
        """What was kept."""
        kept = self._kept
        return kept[0] if len(kept) == 1 else b"".join(kept)

    def _inflated(self, data: bytes) -> bytes:
        room = self._limit - self._size + 1
        assert self._inflate is not None
        if self._inflate.eof:
            # It would keep whatever follows the end of the stream.
            self.truncated = True
            return b""
        try:
            piece = self._inflate.decompress(data, room)
        except zlib.error:
            if not self._raw_deflate or self._size:
                raise CorruptBodyError from None
            piece = self._raw(data, room)
        self._raw_deflate = False
        return piece

    def _raw(self, data: bytes, room: int) -> bytes:
        # "deflate" means zlib, but some servers send the bare stream.
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            return self._inflate.decompress(data, room)
        except zlib.error:
            raise CorruptBodyError from None
