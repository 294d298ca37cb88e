"""The signatures of a notification."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gateway.clock import now_ms
from gateway.delivery import sign

KEYS = st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("key", "body", "expected"),
    [
        (
            b"MySecretEventSignatureKey",
            b"<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>",
            "sha256=jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ=",
        ),
        (b"abcd1234efgh5678", b'{"a":1}', "sha256=o/fwc9Ckb1u+oX7NqjqL9QXeRW6E6w92j2qOcwUl4Wk="),
    ],
)
def test_the_elements_signature_is_the_documented_one(key: bytes, body: bytes, expected: str) -> None:
    assert sign.elements(key, body) == expected


def test_the_standard_signature_is_that_of_the_public_vector() -> None:
    key = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = sign.standard([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(KEYS, st.binary().map(lambda body: b64encode(body)), st.from_regex(r"[0-9a-f]{32}", fullmatch=True))
def test_the_standard_library_accepts_it_with_any_one_of_the_keys(keys: list[bytes], body: bytes, name: str) -> None:
    content = b'{"a":"%b"}' % body
    seconds = now_ms() // 1000
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign.standard(keys, name, seconds, content),
    }
    for key in keys:
        assert Webhook(b64encode(key).decode()).verify(content, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(b64encode(b"another key of 24 bytes.").decode()).verify(content, headers)
