"""Patterns of `LIKE`; both engines take them with `ESCAPE '!'`."""


def literal(text: str) -> str:
    """A text that stands for itself within a pattern."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
