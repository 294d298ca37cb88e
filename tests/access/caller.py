"""A gateway in a process of its own that calls its vendor once and then waits to be killed: `folder`, `instance id`."""

import asyncio
import sys
from pathlib import Path

import orjson

from gateway import app
from gateway.access.act import Manner
from gateway.calls.model import Arguments
from tests.kit.gateway import settings


async def main(folder: Path, content: bytes, instance_id: int) -> None:
    """Start on the data in the folder, and call `GET /me/`."""
    own = orjson.loads(content)
    async with app.running(settings(folder, "", **own)) as gateway:
        view = await gateway.services.index.by_id(instance_id)
        assert view is not None
        method = view.connector.methods["me"]
        async with gateway.services.vendors.act(view, method, Arguments(), Manner()) as outcome:
            sys.stdout.write(f"{outcome}\n")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    asyncio.run(main(place, (place / "settings.json").read_bytes(), int(sys.argv[2])))
