"""The fixtures of a browser."""

from tests.browser.fixtures import *  # noqa: F403
