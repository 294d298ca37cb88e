"""The story: the gateway's log lines and the consumer's verdicts as people read them, event by event."""

import asyncio
from typing import Any

import click

from gateway.delivery import store
from gateway.demo.consumer import Consumer, Verdict
from gateway.nulls import removed
from gateway.storage.database import Database

LEGEND = (
    ("received", "the webhook is committed to disk; only then the vendor gets its 2xx"),
    ("verified", "the vendor's signature over the raw bytes is right"),
    ("filtered", "object members that are null are taken out; all else is passed on to the byte"),
    ("delivered", "the notification, signed twice, went to the consumer; again where that fails"),
    ("acknowledged", "the consumer verified both signatures itself and answered 2xx"),
)
_COLOURS = {
    "received": "cyan",
    "verified": "blue",
    "filtered": "magenta",
    "delivered": "yellow",
    "acknowledged": "green",
    "duplicate": "white",
    "refused": "red",
    "failed": "red",
    "ignored": "white",
}
_MOST_PATHS = 4


class Story:
    """Tells what happens, and hands on how each webhook ended."""

    def __init__(self, database: Database, consumer: Consumer, *, colour: bool) -> None:
        self._database = database
        self._consumer = consumer
        self._colour = colour
        #: Whether webhooks come from outside the script, so that each needs a heading of its own.
        self.live = False
        self.ends: asyncio.Queue[str] = asyncio.Queue()

    def say(self, text: str = "") -> None:
        """Print a line."""
        click.echo(text, color=self._colour)

    def heading(self, text: str) -> None:
        """Begin the story of one webhook."""
        self.say("\n" + click.style(text, bold=True))

    def step(self, word: str, text: str) -> None:
        """Tell one step of its way."""
        self.say("  " + click.style(f"{word:<14}", fg=_COLOURS[word]) + text)

    def legend(self) -> None:
        """What the words mean."""
        for word, text in LEGEND:
            self.step(word, click.style(text, dim=True))

    async def tell(self, lines: "asyncio.Queue[dict[str, Any]]") -> None:
        """Tell what the log says, for ever."""
        while True:
            line = await lines.get()
            match line.get("event"):
                case "event.received":
                    await self._received(line)
                case "event.refused":
                    self._begin(f"A webhook for instance {line['instance_id']}")
                    self.step("refused", f"answered {line['status']}: {line['detail']}")
                    self._end("refused")
                case "event.ignored":
                    self._begin(f"A webhook for instance {line['instance_id']}")
                    self.step("ignored", "verified, answered 200, not stored: events are off for this instance")
                    self._end("ignored")
                case "delivery.attempted":
                    self._attempted(line)
                case "delivery.dead":
                    self.step("failed", f"given up: {line['reason']}")
                    self._end("dead")
                case what if line["level"] == "error":
                    self.step("failed", f"{str(what).partition(chr(10))[0]}; the log has the details")

    async def _received(self, line: dict[str, Any]) -> None:
        self._begin(f"{line['type']} for instance {line['instance_id']}")
        self.step("received", f"{line['bytes']} bytes, on disk after {line['duration_ms']} ms")
        if line["outcome"] == "duplicate":
            self.step("duplicate", "seen before by its delivery id: nothing is stored or delivered twice")
            self._end("duplicate")
            return
        self.step("verified", f"by the rules of {line['connector']}")
        for event_id in line["event_ids"]:
            await self._filtered(event_id)

    async def _filtered(self, event_id: str) -> None:
        event = await store.event_any_account(self._database, event_id)
        if event is None:
            return
        paths = removed(event.payload)
        if not event.filter_nulls:
            self.step("filtered", "switched off for this instance; passed on as it came")
        elif not paths:
            self.step("filtered", "nothing to take out")
        else:
            more = f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
            self.step("filtered", f"{len(paths)} taken out: {', '.join(paths[:_MOST_PATHS])}{more}")

    def _attempted(self, line: dict[str, Any]) -> None:
        took = f"attempt {line['attempt']}, {line['duration_ms']} ms, event {line['event_id']}"
        if line["outcome"] != "delivered":
            reason = f"answered {line['status']}" if line["status"] else line["reason"]
            self.step("delivered", f"{took}: the consumer {reason}; it will be tried again")
            return
        self.step("delivered", took)
        verdict = self._consumer.verdicts.get(line["event_id"])
        self.step("acknowledged", f"with {line['status']} {_spoken(verdict)}")
        self._end("acknowledged" if verdict is not None and verdict.good else "unverified")

    def _begin(self, text: str) -> None:
        if self.live:
            self.heading(text)

    def _end(self, how: str) -> None:
        if not self.live:
            self.ends.put_nowait(how)


def _spoken(verdict: Verdict | None) -> str:
    if verdict is None:
        return "by somebody else than the demo's consumer"
    marks = {True: "right", False: "WRONG", None: "not checked (this instance's signingSecret is not the consumer's)"}
    nulls = "no null member" if not verdict.nulls else f"STILL NULL: {', '.join(verdict.nulls)}"
    signatures = f"webhook-signature {marks[verdict.standard]}, Elements-Webhook-Signature {marks[verdict.elements]}"
    return f"by the consumer: {signatures}, {nulls}"
