"""The commands for connectors: what they print, and that no file and no fixture ends in a traceback."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.catalogue.load import SHIPPED
from gateway.cli import main
from tests.catalogue.connector_file import HEAD, WEBHOOK
from tests.contracts.shop import BODY, delivery, fixtures, sign

SHOP = HEAD + WEBHOOK


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(*words: str, stdin: str = "") -> Result:
    found = CliRunner().invoke(main, ["connectors", *words], input=stdin)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def shop(folder: Path, *deliveries: dict[str, Any]) -> Path:
    """A connector file with these deliveries beside it."""
    put(folder, "tests/shop.json", json.dumps(fixtures(*deliveries)))
    return put(folder, "shop.toml", SHOP)


# list, show


def test_list_names_every_connector_and_where_it_comes_from(folder: Path) -> None:
    put(folder, "own/shop.toml", SHOP)
    config = put(folder, "config.toml", f'[catalogue]\npaths = ["{folder / "own"}"]\n')
    lines = run("list", "--config", str(config)).output.splitlines()
    assert lines[0].split() == ["KEY", "NAME", "VERSION", "HUB", "EVENTS", "VERIFICATION", "METHODS", "SOURCE"]
    assert len(lines) == 2 + len(list(SHIPPED.glob("*.toml")))
    [own] = [line for line in lines if line.startswith("shop ")]
    assert own.split()[-1] == str(folder / "own" / "shop.toml")
    assert next(line for line in lines if line.startswith("github ")).split()[-1] == "shipped"


def test_list_as_json_says_the_same_for_programs(folder: Path) -> None:
    found = json.loads(run("list", "--json").output)
    github = next(one for one in found if one["key"] == "github")
    assert github["events"] == ["webhook", "polling"]
    assert github["verification"] == ["hmac"]
    assert github["methods"] > 0
    assert list(folder.iterdir()) == []


def test_show_tells_what_an_instance_needs(folder: Path) -> None:
    put(folder, "own/shop.toml", SHOP)
    config = put(folder, "config.toml", f'[catalogue]\npaths = ["{folder / "own"}"]\n')
    found = run("show", "shop", "--config", str(config)).output
    assert "Shop (shop 1.0.0, general)" in found
    assert "  secret: Secret (secret)" in found
    assert "  proof: hmac sha256 in header:x-signature" in found
    assert "  registered by hand, at the vendor" in found
    assert "No polling." in found


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.toml")), ids=lambda file: file.stem)
def test_every_shipped_connector_can_be_shown(file: Path) -> None:
    told = json.loads(run("show", file.stem, "--json").output)
    assert told["key"] == file.stem
    assert run("show", file.stem).output.startswith(f"{told['name']} ({file.stem} ")


def test_show_of_nothing_names_the_nearest(folder: Path) -> None:
    found = run("show", "githbu")
    assert (found.exit_code, found.output) == (1, "Error: there is no connector 'githbu'; did you mean 'github'?\n")
    assert "`gateway connectors list` names them all" in run("show", "zzzzzz").output
    assert list(folder.iterdir()) == []


def test_a_broken_configuration_or_catalogue_is_an_error_of_list(folder: Path) -> None:
    found = run("list", "--config", "none.toml")
    assert found.exit_code == 1
    assert "none.toml" in found.output
    put(folder, "own/shop.toml", "format = 2")
    config = put(folder, "config.toml", f'[catalogue]\npaths = ["{folder / "own"}"]\n')
    found = run("list", "--config", str(config))
    assert found.exit_code == 1
    assert "shop.toml:1: format: expected 1, got 2" in found.output


# lint


def test_lint_of_what_is_right_says_so(folder: Path) -> None:
    put(folder, "shop.toml", SHOP)
    found = run("lint", "shop.toml")
    assert (found.exit_code, found.output) == (0, "1 connector file: good.\n")
    assert run("lint", ".").output == "1 connector file: good.\n"


def test_lint_names_file_line_key_expectation_and_the_nearest_word(folder: Path) -> None:
    put(folder, "shop.toml", SHOP + 'tolerence = "5m"\n')
    found = run("lint", "shop.toml")
    line = len(SHOP.splitlines()) + 1
    said = f"shop.toml:{line}: webhook.verify[0].tolerence: unknown key; did you mean 'tolerance'?"
    assert (found.exit_code, found.output) == (1, f"{said}\n1 connector file: 1 problem.\n")


def test_lint_tells_every_problem_of_every_file(folder: Path) -> None:
    put(folder, "a.toml", SHOP.replace('"1.0.0"', '"one"') + "zzz = 1\n")
    put(folder, "b.toml", "format = 1\nkey = =\n")
    found = run("lint", ".")
    assert found.exit_code == 1
    assert [line.split(":")[0] for line in found.output.splitlines()[:-1]] == ["a.toml", "a.toml", "b.toml"]
    assert "b.toml:2: is no TOML" in found.output
    assert found.output.endswith("2 connector files: 3 problems.\n")


def test_lint_tells_warnings_and_does_not_fail_for_them(folder: Path) -> None:
    paged = '[pagination.p]\ntype = "offset"\n[[poll]]\nname = "p"\nrequest = "GET /p"\nrecords = ""\nid = "id"\n'
    put(folder, "shop.toml", HEAD + paged + 'updated = "u"\ntype = "p"\norder = "asc"\npaginate = "p"\n')
    found = run("lint", "shop.toml")
    assert found.exit_code == 0
    assert found.output.splitlines()[0].startswith("shop.toml:")
    assert found.output.splitlines()[0].endswith("(warning)")
    assert found.output.endswith("1 connector file: good, 1 warning.\n")


def test_lint_finds_one_key_in_two_files(folder: Path) -> None:
    put(folder, "a.toml", SHOP)
    put(folder, "b.toml", SHOP)
    found = run("lint", ".")
    assert found.exit_code == 1
    assert "b.toml:3: key: 'shop' is the key of a.toml too; expected another one" in found.output


@pytest.mark.parametrize("command", ["lint", "test"])
def test_a_path_that_holds_no_connector_is_an_error(command: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    for path, said in (("none.toml", "is not there"), ("empty", "holds no connector files")):
        found = run(command, path)
        assert found.exit_code == 1
        assert f"Error: {path}: {said}" in found.output
    assert run(command).exit_code == 2


def test_lint_of_what_is_no_text_is_an_error(folder: Path) -> None:
    (folder / "x.toml").write_bytes(b"\xff\xfe")
    found = run("lint", "x.toml")
    assert found.exit_code == 1
    assert "x.toml:1: is no UTF-8" in found.output


# test


def test_a_file_that_is_in_no_folder_of_the_gateway_can_be_shown(folder: Path) -> None:
    shop(folder)
    assert run("show", "shop.toml").output.startswith("Shop (shop 1.0.0")
    put(folder, "broken.toml", SHOP + 'tolerence = "5m"')
    assert "broken.toml:" in run("show", "broken.toml").output
    assert "none.toml: cannot be read" in run("show", "none.toml").output


def test_test_tries_every_delivery_and_tampers_with_the_accepted_ones(folder: Path) -> None:
    shop(
        folder, delivery(), delivery(name="forged", signature="00" * 32, expect="rejected", check="signature_mismatch")
    )
    found = run("test", "shop.toml")
    assert found.exit_code == 0, found.output
    first, second, last = found.output.splitlines()
    assert first.startswith("✓ shop: an order: accepted, ")
    assert second == "✓ shop: forged: rejected (signature_mismatch)"
    assert last == "1 connector file: good. 2 deliveries tried, 0 failed."


def test_a_delivery_that_is_judged_otherwise_fails_and_says_why(folder: Path) -> None:
    wrong = delivery(changes=[{"type": "order.deleted", "object_id": None}])
    shop(folder, wrong, delivery(name="forged", expect="rejected", check="timestamp_stale", signature="00"))
    found = run("test", "shop.toml")
    assert found.exit_code == 1
    assert "✗ shop: an order" in found.output
    assert "changes[0].type: expected 'order.deleted', got 'order.paid'" in found.output
    assert "expected timestamp_stale, got signature_mismatch: no signature matches" in found.output
    assert found.output.endswith("2 deliveries tried, 2 failed.\n")


def test_what_is_wrong_with_a_key_or_a_time_is_said_where_a_delivery_fails(folder: Path) -> None:
    hexed = delivery(config={"secret": "ab" * 32}, signature=sign(BODY, "ab" * 32))
    stamped = SHOP.replace("{raw}", "{header:t}{raw}") + 'timestamp = "header:t"\n'
    milliseconds = delivery(
        request={"headers": {"t": "1700000000000", "x-signature": sign("1700000000000" + BODY)}},
    )
    for text, one, expected in (
        (SHOP + 'secret_encoding = "hex"\n', hexed, "wrong_key_encoding: it matches with the secret taken as text"),
        (stamped, milliseconds, "timestamp_missing: header:t is no time in seconds"),
    ):
        shop(folder, one, delivery(name="forged", expect="rejected", check="missing_header", request={"headers": {}}))
        put(folder, "shop.toml", text)
        assert f"expected accepted, got {expected}" in run("test", "shop.toml").output


def test_a_webhook_without_both_kinds_of_deliveries_fails(folder: Path) -> None:
    put(folder, "shop.toml", SHOP)
    assert "tests/shop.json: cannot be read" in run("test", "shop.toml").output
    shop(folder, delivery())
    found = run("test", "shop.toml")
    assert found.exit_code == 1
    assert "expected at least one delivery that is rejected" in found.output


def test_a_connector_without_a_webhook_needs_no_deliveries(folder: Path) -> None:
    put(folder, "shop.toml", HEAD)
    assert run("test", "shop.toml").output == "1 connector file: good. 0 deliveries tried, 0 failed.\n"


WRONG = {
    "no list": ({"connector": "shop"}, "expected {"),
    "another connector": ({"connector": "shap", "deliveries": []}, "connector: expected 'shop'"),
    "an unknown key above": ({"connector": "shop", "deliverys": [], "deliveries": []}, "did you mean 'deliveries'?"),
    "an unknown key": (fixtures(delivery(expcet="x")), "unknown key 'expcet'; did you mean 'expect'?"),
    "a missing key": (fixtures({"name": "x"}), "missing required field `origin`"),
    "a wrong type": (fixtures(delivery(now="soon")), "now: Expected `float`, got `str`"),
    "an unknown verdict": (fixtures(delivery(expect="taken")), "expect: Invalid enum value 'taken'"),
    "a check of an accepted one": (fixtures(delivery(check="x")), "check: expected with rejected deliveries"),
    "a rejected one without its check": (fixtures(delivery(expect="rejected")), "check: expected with rejected"),
    "a handshake without its answer": (fixtures(delivery(expect="handshake")), "handshake: is missing"),
    "an unknown field of a change": (
        fixtures(delivery(changes=[{"object_di": "1"}])),
        "changes: unknown key 'object_di'; did you mean 'object_id'?",
    ),
    "no origin": (fixtures(delivery(origin="")), "origin: expected where it comes from"),
    "one name twice": (fixtures(delivery(), delivery()), "two deliveries are named 'an order'"),
    "another query": (fixtures(delivery(request={"query": "a=1"})), "request.query: expected what stands behind the ?"),
    "a header with capitals": (
        fixtures(delivery(request={"headers": {"X-A": ""}})),
        "expected lower-case names, got 'X-A'",
    ),
    "two bodies": (fixtures(delivery(request={"body_base64": "AA=="})), "expected either body or body_base64"),
    "no base64": (fixtures(delivery(request={"body": None, "body_base64": "?"})), "body_base64: is no base64"),
    "an unknown part of a request": (
        fixtures(delivery(request={"bodi": "x"})),
        "unknown key 'bodi'; did you mean 'body'?",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_fixture_that_is_wrong_is_told_with_file_and_delivery(what: str, folder: Path) -> None:
    content, expected = WRONG[what]
    put(folder, "shop.toml", SHOP)
    put(folder, "tests/shop.json", json.dumps(content))
    found = run("test", "shop.toml")
    assert found.exit_code == 1
    assert "tests/shop.json: " in found.output
    assert expected in found.output


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[" * 100_000, b"3"])
def test_a_fixture_that_is_no_json_is_told(raw: bytes, folder: Path) -> None:
    put(folder, "shop.toml", SHOP)
    put(folder, "tests/shop.json", "").write_bytes(raw)
    found = run("test", "shop.toml")
    assert found.exit_code == 1
    assert "✗ shop: tests/shop.json: " in found.output


@pytest.mark.parametrize(
    "words", [("--port", "1"), ("--set", "a=b"), ("--public-url", "https://a.example"), ("--name", "x")]
)
def test_options_of_recording_need_record(words: tuple[str, str], folder: Path) -> None:
    put(folder, "shop.toml", SHOP)
    found = run("test", "shop.toml", *words)
    assert found.exit_code == 2
    assert f"{words[0]}: only together with --record" in found.output
