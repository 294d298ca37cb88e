"""placeholder"""


async def demo(port: int, *, once: bool) -> None:
    raise SystemExit((port, once))
