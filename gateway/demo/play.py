"""The demo: opens the three parties, provisions an instance over the public API, and lets the story run."""

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway import app, config, ids, log
from gateway.demo import vendor
from gateway.demo.by_hand import Facts, commands
from gateway.demo.consumer import Consumer, consuming
from gateway.demo.journal import Journal
from gateway.demo.story import Story
from gateway.egress.guard import Guard
from gateway.egress.model import Answer, Client, Outcome, Request
from gateway.egress.open import open_client
from gateway.errors import StartRefused

LOOPBACK = ["127.0.0.0/8"]
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Stage:
    """The parties, ready to play."""

    gateway: app.Running
    consumer: Consumer
    client: Client
    story: Story
    log_file: Path
    vendor_url: str

    @property
    def authorization(self) -> str:
        """The header of the gateway's administrator."""
        secrets = self.gateway.config.bootstrap
        return f"User {secrets.user_secret}, Organization {secrets.organization_secret}"


async def demo(port: int, *, once: bool) -> bool:
    """Run the story; whether every webhook ended as it had to. Without `once`, stay until Ctrl-C."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with _stage(port) as stage:
        made = await _provision(stage)
        good = await _unless(stopped, _play(stage, made))
        if good is not None and not once:
            _by_hand(stage, made)
            stage.story.say("\nThe gateway keeps running, and what arrives is told below. Ctrl-C ends it.")
            stage.story.live = True
            await stopped.wait()
    return bool(good)


async def _unless(stopped: asyncio.Event, act: Coroutine[Any, Any, bool]) -> bool | None:
    """What the act answers; None where it was stopped before."""
    playing, stopping = asyncio.create_task(act), asyncio.create_task(stopped.wait())
    await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    done = playing.done()
    for task in (playing, stopping):
        await _ended(task)
    return playing.result() if done else None


@asynccontextmanager
async def _stage(port: int) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-demo-")))
        journal = stack.enter_context(Journal(folder / "gateway.log"))
        settings = _settings(folder, port)
        log.configure(settings.log, journal)
        consumer = Consumer(elements_key=ids.hex_token(), stumbles_at={"release"})
        await stack.enter_async_context(consuming(consumer))
        vendor_url = await stack.enter_async_context(vendor.api())
        guard = Guard(allow_http=True, allow_networks=LOOPBACK)
        client = await stack.enter_async_context(open_client("aiohttp", guard))
        gateway = await stack.enter_async_context(app.running(settings))
        story = Story(gateway.services.runtime.database, consumer, colour=log.colours())
        telling = asyncio.create_task(story.tell(journal.lines))
        stack.push_async_callback(_ended, telling)
        yield Stage(gateway, consumer, client, story, journal.path, vendor_url)


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _settings(folder: Path, port: int) -> config.Config:
    content = {
        "server": {"port": port, "shutdown_grace": "2s"},
        "storage": {"data_dir": str(folder / "data"), "min_free": "1MiB"},
        "egress": {"allow_http": True, "allow_networks": LOOPBACK},
        "delivery": {"retry_schedule": ["1s", "2s", "5s", "10s", "30s", "60s"]},
        "log": {"level": "info", "format": "json"},
    }
    return config.build(content, {}, "the demo")


async def _provision(stage: Stage) -> dict[str, Any]:
    """An instance, made over the public API as anybody would."""
    story, gateway = stage.story, stage.gateway
    story.heading("Connector Gateway: a vendor, the gateway and a consumer on this machine")
    story.say(f"  the gateway    {gateway.config.local_url}")
    story.say(f"  the consumer   {stage.consumer.url}")
    story.say(f"  the log        {stage.log_file}")
    body = {
        "element": {"key": "github"},
        "name": "demo",
        "configuration": {
            "token": vendor.CREDENTIAL,
            "base.url": stage.vendor_url,
            "owner": "octo",
            "repo": "hello",
            "event.notification.enabled": True,
            "event.notification.callback.url": stage.consumer.url,
            "event.notification.signature.key": stage.consumer.elements_key,
        },
    }
    headers = (("Authorization", stage.authorization), ("Content-Type", "application/json"))
    url = f"{gateway.config.local_url}/instances"
    request = Request(method="POST", url=url, headers=headers, body=orjson.dumps(body), timeout=PATIENCE_S)
    answered = await stage.client.send(request)
    if not isinstance(answered, Answer) or answered.status != 200:
        raise StartRefused(f"The demo could not make its instance: {answered}")
    made: dict[str, Any] = orjson.loads(answered.body)
    stage.consumer.secrets[made["id"]] = made["signingSecret"]
    story.say(f"  the instance   {made['id']}, made by POST /instances; the vendor sends to its webhookUrl\n")
    story.legend()
    return made


async def _play(stage: Stage, made: dict[str, Any]) -> bool:
    steps = vendor.steps()
    good = 0
    for number, step in enumerate(steps, 1):
        stage.story.heading(f"{number}. {step.title}")
        answered = await vendor.send(stage.client, made["webhookUrl"], made["webhookSecret"], step)
        problem = _wrong(step, answered, await _end(stage.story))
        if problem is None:
            good += 1
        else:
            stage.story.step("failed", problem)
    stage.story.heading(f"{good} of {len(steps)} webhooks ended as they had to.")
    return good == len(steps)


async def _end(story: Story) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await story.ends.get()
    except TimeoutError:
        return f"open after {PATIENCE_S:.0f} s"


def _wrong(step: vendor.Step, answered: Outcome, end: str) -> str | None:
    status = answered.status if isinstance(answered, Answer) else answered.detail
    if end == step.end and status == (401 if step.end == "refused" else 200):
        return None
    return f"this should have ended {step.end}; it ended {end}, and the vendor's answer was {status}"


def _by_hand(stage: Stage, made: dict[str, Any]) -> None:
    story = stage.story
    facts = Facts(
        gateway=stage.gateway.config.local_url,
        instance_id=made["id"],
        webhook_url=made["webhookUrl"],
        webhook_secret=made["webhookSecret"],
        authorization=stage.authorization,
        consumer=stage.consumer.url,
        elements_key=stage.consumer.elements_key,
    )
    story.heading("Try it by hand, in another terminal")
    story.say(f"  The webhook URL: {made['webhookUrl']}")
    for what, command in commands(facts):
        story.say(f"\n# {what}\n{command}")
