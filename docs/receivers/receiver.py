"""A receiver of events that verifies both signatures; Python 3.11, nothing to install.

SIGNING_SECRETS  the instance's signingSecret; during a rotation the new and the old one, with a space between
ELEMENTS_KEY     the instance's event.notification.signature.key; empty where it has none
PORT             where to listen on loopback, 9000 unless told otherwise
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_S = 300
MOST_BYTES = 40 << 20
SECRETS = os.environ.get("SIGNING_SECRETS", "").split()
ELEMENTS_KEY = os.environ.get("ELEMENTS_KEY", "")


def is_genuine(headers: Mapping[str, str], body: bytes, secrets: list[str], elements_key: str) -> bool:
    """Whether the gateway sent these bytes, and lately; whatever is missing or unreadable is a no."""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        return False
    if abs(time.time() - int(stamp)) > TOLERANCE_S:
        return False
    content = f"{message_id}.{stamp}.".encode() + body
    wanted = ["v1," + digest(key, content) for key in map(key_of, secrets) if key]
    given = headers.get("webhook-signature", "").split(" ")
    # Every pair is compared, and each in constant time; entries of other versions match nothing.
    standard = [equal(one, other) for one in wanted for other in given]
    elements = "sha256=" + digest(elements_key.encode(), body)
    return any(standard) and (not elements_key or equal(elements, headers.get("elements-webhook-signature", "")))


def key_of(secret: str) -> bytes:
    """The key inside `whsec_…`; empty where there is none."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return b""


def digest(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogateescape"))


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    # The same event may come more than once, always under the same webhook-id. In a real application this is a
    # table with a unique column, written in the same transaction as what the event does; keep the ids for some days.
    seen: set[str] = set()  # noqa: RUF012 - one for all requests
    one_at_a_time = threading.Lock()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= MOST_BYTES):
            self.close_connection = True
            return self.answer(400)
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not is_genuine(headers, body, SECRETS, ELEMENTS_KEY):
            return self.answer(401)
        try:
            message = json.loads(body)["message"]
        except (ValueError, KeyError, TypeError):
            return self.answer(400)
        with self.one_at_a_time:
            if headers["webhook-id"] not in self.seen:
                handle(message)
                # Only now: had the work failed, there would be no 2xx, and the event would come again.
                self.seen.add(headers["webhook-id"])
        return self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Requests are not logged."""


def handle(message: dict[str, object]) -> None:
    """Here the work begins; what takes longer than a few seconds belongs into a queue."""
    print("verified:", json.dumps(message), flush=True)


if __name__ == "__main__":
    if not any(map(key_of, SECRETS)):
        raise SystemExit("SIGNING_SECRETS must hold the instance's signingSecret, whsec_…")
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
