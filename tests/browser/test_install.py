"""Where the browser comes from, and that a test without one, or with a page that complains, fails."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser import chromium, install
from tests.browser.tabs import place

ROOT = install.HERE.parents[1]
FAILING = "tests/browser/failing.py"


def failing(which: str = FAILING, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run the tests that must not pass."""
    command = [sys.executable, "-m", "pytest", which, "-p", "no:cacheprovider"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=100, check=False, env=own | environ
    )


@pytest.mark.xdist_group("browser")
def test_a_page_that_complains_fails_its_test_and_leaves_a_screenshot() -> None:
    done = failing()
    assert "1 failed, 5 passed, 5 errors" in done.stdout, done.stdout
    for complaint in (
        *("Executing inline script violates", "Loading the image 'http://127.0.0.1:9/a.png' violates"),
        *("logged (http://", "not caught: thrown", "expected, but nothing said so: 404"),
    ):
        assert complaint in done.stdout
    kept = re.findall(rf"^(?:Screenshot: )?({re.escape(str(install.VENV))}.*\.png)$", done.stdout, re.M)
    assert len(set(kept)) == 6
    assert all(Path(one).read_bytes().startswith(b"\x89PNG") for one in kept)
    assert "<p>Seen</p>" in place("test_that_is_wrong").with_suffix(".html").read_text("utf-8")
    assert "logged" in place("test_that_logs_an_error").with_suffix(".txt").read_text("utf-8")


def test_without_a_browser_a_test_fails_and_says_why() -> None:
    done = failing(f"{FAILING}::test_that_breaks_the_csp", GATEWAY_TEST_BROWSER="/nowhere/chromium")
    assert done.returncode == 1
    assert "GATEWAY_TEST_BROWSER names /nowhere/chromium, which is no program." in done.stdout
    assert "1 error" in done.stdout
    assert "skipped" not in done.stdout


def test_a_browser_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(chromium.OVERRIDE, sys.executable)
    assert chromium.program().path == Path(sys.executable)


def test_a_registry_that_does_not_answer_is_told_of_when_the_patience_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    monkeypatch.setenv("NPM_CONFIG_CACHE", str(tmp_path / "cache"))
    said: list[str] = []
    with pytest.raises(install.InstallError, match="npm could not fetch the browser"):
        install.install(2, said.append, tmp_path)
    assert said[0] == "Installing the browser for the tests (70 MB) ..."
    assert not (tmp_path / "browser").exists()


def test_what_is_installed_is_found_at_once(tmp_path: Path) -> None:
    install.install()
    began = time.process_time()
    assert install.ready()
    assert time.process_time() - began < 0.2
    assert not install.ready(tmp_path)


def test_the_browser_s_lock_names_versions_and_hashes_but_no_address() -> None:
    text = (install.HERE / "package-lock.json").read_text("utf-8")
    assert "://" not in text
    packages = [entry for name, entry in json.loads(text)["packages"].items() if name]
    assert packages
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in packages)


def test_a_screenshot_is_named_after_its_test() -> None:
    assert place("test_a[b/../c]").name == "test_a_b_.._c.png"
    assert place("test_a", 1).name == "test_a-2.png"
