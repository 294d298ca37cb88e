"""Decompresses a body of any size piece by piece, each of a bounded size."""

import zlib
from collections.abc import Iterator

from gateway.egress.body import CorruptBodyError

PIECE = 1 << 16
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_MAGIC = b"\x1f\x8b"


class Inflater:
    """Undoes a Content-Encoding; one that is not known leaves the bytes as they are."""

    __slots__ = ("_inflate", "_may_be_bare", "_started")

    def __init__(self, encoding: str | None) -> None:
        coding = encoding.strip().lower() if encoding else ""
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB) if coding in _CODINGS else None
        self._may_be_bare = coding == "deflate"
        self._started = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What comes out for what came in; CorruptBodyError where it is not what was declared."""
        if self._inflate is None:
            if data:
                yield data
            return
        while data:
            if self._inflate.eof:
                # Streams may follow each other; what is no stream is padding, and is not kept.
                if not data.startswith(_GZIP_MAGIC):
                    return
                self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
            piece = self._step(data)
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> None:
        """The peer has said all; CorruptBodyError where a stream was begun and not ended."""
        if self._inflate is not None and self._started and not self._inflate.eof:
            raise CorruptBodyError

    def _step(self, data: bytes) -> bytes:
        assert self._inflate is not None
        try:
            piece = self._inflate.decompress(data, PIECE)
        except zlib.error as error:
            if self._started or not self._may_be_bare:
                raise CorruptBodyError from error
            # "deflate" means zlib, but some servers send the bare stream.
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            piece = self._bare(data)
        self._started = True
        return piece

    def _bare(self, data: bytes) -> bytes:
        assert self._inflate is not None
        try:
            return self._inflate.decompress(data, PIECE)
        except zlib.error as error:
            raise CorruptBodyError from error
