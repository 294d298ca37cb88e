"""Says which receivers of docs/receivers ran, since a missing toolchain must not go unseen."""

import pytest

from tests.docs.receivers import LANGUAGES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.getreports(outcome)]
    named = [one.nodeid for one in reports if "test_receivers.py" in one.nodeid]
    ran = [language.name for language in LANGUAGES if any(f"[{language.name}" in one for one in named)]
    lacking = [language.name for language in LANGUAGES if language.name not in ran]
    if named:
        without = f"; no toolchain here, or not chosen: {', '.join(lacking)}" if lacking else ""
        terminalreporter.write_line(f"docs/receivers: ran {', '.join(ran)}{without}")
