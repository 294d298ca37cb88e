"""The configuration: the manual is complete and true, and mistakes are named in words that help."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest

from gateway import config, keyring
from gateway.config import Config
from gateway.errors import StartRefused
from gateway.example import example, manual

ROOT = Path(__file__).resolve().parent.parent
TABLES = {"price_plans"}
SECTIONS = {name: kind for name, kind in get_type_hints(Config).items() if name not in TABLES}
EVERY_KEY = [(section, key) for section, kind in SECTIONS.items() for key in kind.__struct_fields__]


def plain(record: msgspec.Struct) -> dict[str, Any]:
    values = msgspec.structs.asdict(record)
    return {key: _plain_value(value) for key, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain_value(one) for one in value]
    return plain(value) if isinstance(value, msgspec.Struct) else value


def refused(content: dict[str, Any], environ: dict[str, str] | None = None) -> str:
    with pytest.raises(StartRefused) as problem:
        config.build(content, environ or {}, "config.toml")
    return str(problem.value)


def from_environment(**environ: str) -> Config:
    return config.build({}, {f"GATEWAY_{name}": value for name, value in environ.items()}, "config.toml")


# The manual


def test_the_manual_has_every_key_with_its_default() -> None:
    assert tomllib.loads(manual()) == json.loads(json.dumps(plain(Config())))


def test_the_manual_loads_as_the_defaults() -> None:
    assert config.build(tomllib.loads(manual()), {}, "the manual") == Config()


def test_the_manual_says_something_about_every_key() -> None:
    keys = [line for line in manual().splitlines() if re.match(r"[a-z_]+ = ", line)]
    assert len(keys) == len(EVERY_KEY) + len(config.PricePlan.__struct_fields__) * len(Config().price_plans)
    assert [line for line in keys if "   # " not in line and "  # " not in line] == []


def test_the_manual_is_the_one_that_the_wheel_ships() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert shipped == {"config.example.toml": "gateway/config.example.toml"}
    assert manual() == (ROOT / "config.example.toml").read_text("utf-8")


def test_a_fresh_configuration_differs_from_the_manual_in_its_secrets_only() -> None:
    secrets = keyring.fresh()
    loaded = config.build(tomllib.loads(example(secrets)), {}, "config.toml")
    assert keyring.complete(loaded) == (loaded, None)
    assert msgspec.structs.replace(loaded, bootstrap=config.Bootstrap(), security=config.Security()) == Config()
    assert {name: getattr(loaded.bootstrap, name) for name in secrets["bootstrap"]} == secrets["bootstrap"]
    assert list(loaded.security.encryption_keys) == secrets["security"]["encryption_keys"]


def test_secrets_are_fresh_each_time() -> None:
    first, second = keyring.fresh(), keyring.fresh()
    same = {key for key, value in first["bootstrap"].items() if value == second["bootstrap"][key]}
    assert same == {"admin_username"}
    assert first["security"] != second["security"]


# The environment


@pytest.mark.parametrize(("section", "key"), EVERY_KEY)
def test_every_key_can_be_given_in_the_environment(section: str, key: str, tmp_path: Path) -> None:
    default = getattr(getattr(Config(), section), key)
    text = default if isinstance(default, str) else json.dumps(default)
    name = f"{section}__{key}".upper()
    assert from_environment(**{name: text}) == Config()
    (tmp_path / "value").write_text(text + "\n")
    assert from_environment(**{name + "_FILE": str(tmp_path / "value")}) == Config()


def test_the_environment_wins_over_the_file() -> None:
    found = config.build({"server": {"port": 1, "host": "h"}}, {"GATEWAY_SERVER__PORT": "2"}, "config.toml")
    assert (found.server.port, found.server.host) == (2, "h")


def test_values_of_the_environment_are_typed() -> None:
    found = from_environment(
        STORAGE__AUTO_MIGRATE="False",
        EGRESS__ALLOW_NETWORKS='["10.0.0.0/8", "::1/128"]',
        DELIVERY__RETRY_SCHEDULE='["1s", "2m"]',
        INBOUND__RATE_LIMIT="0.5",
        STORAGE__MIN_FREE="0",
        BOOTSTRAP__CLIENT_ID="123",
    )
    assert found.storage.auto_migrate is False
    assert found.egress.allow_networks == ("10.0.0.0/8", "::1/128")
    assert [step.ms for step in found.delivery.retry_schedule] == [1_000, 120_000]
    assert found.inbound.rate_limit == 0.5
    assert found.storage.min_free.bytes == 0
    assert found.bootstrap.client_id == "123"


def test_what_a_container_platform_puts_into_the_environment_is_no_setting() -> None:
    assert from_environment(PORT="tcp://10.0.0.1:80", SERVICE_HOST="10.0.0.1", PORT_80_TCP_ADDR="x") == Config()


def test_a_file_and_a_value_for_one_key_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("x")
    names = {"GATEWAY_SERVER__HOST": "h", "GATEWAY_SERVER__HOST_FILE": str(tmp_path / "value")}
    assert "GATEWAY_SERVER__HOST and GATEWAY_SERVER__HOST_FILE are both given" in refused({}, names)


def test_a_file_that_cannot_be_read_is_named() -> None:
    problem = refused({}, {"GATEWAY_SERVER__METRICS_TOKEN_FILE": "nowhere/token"})
    assert problem == (
        "GATEWAY_SERVER__METRICS_TOKEN_FILE names a file that cannot be read: No such file or directory."
    )


# Mistakes


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"server": {"prot": 1}}, "config.toml: server.prot: there is no such key; did you mean server.port?"),
        ({"sever": {"port": 1}}, "config.toml: there is no section [sever]; did you mean [server]?"),
        ({"port": 1}, "config.toml: port stands outside a section; did you mean server.port?"),
        ({"zzz": 1}, "config.toml: zzz stands outside a section."),
        ({"server": 1}, "config.toml: server is a section; write [server] and its keys below it."),
        ({"server": {"port": "x"}}, "config.toml: server.port: expected a whole number, got 'x'."),
        ({"server": {"port": True}}, "config.toml: server.port: expected a whole number, got true or false."),
        ({"server": {"host": 1}}, "config.toml: server.host: expected a text, got a whole number."),
        ({"delivery": {"timeout": 15}}, "config.toml: delivery.timeout: expected a duration such as "),
        ({"delivery": {"timeout": "15x"}}, "got '15x'."),
        ({"inbound": {"max_body": "1 Mb"}}, "config.toml: inbound.max_body: expected a size such as "),
        ({"egress": {"allow_networks": "10.0.0.0/8"}}, "config.toml: egress.allow_networks: expected a list such as "),
        (
            {"log": {"level": "loud"}},
            "config.toml: log.level: expected one of debug, info, warning, error, got 'loud'.",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_what_was_expected(content: dict[str, Any], problem: str) -> None:
    assert problem in refused(content)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SERVER__PRT", "1", "there is no key server.prt; did you mean GATEWAY_SERVER__PORT?"),
        ("SERVER__PORT", "eighty", "expected a whole number, got 'eighty'."),
        ("STORAGE__AUTO_MIGRATE", "maybe", "expected true or false, got 'maybe'."),
        ("CATALOGUE__PATHS", "connectors", 'expected a list such as ["one", "two"], got a text.'),
    ],
)
def test_a_mistake_in_the_environment_is_named(name: str, value: str, problem: str) -> None:
    assert refused({}, {f"GATEWAY_{name}": value}) == f"GATEWAY_{name} in the environment: {problem}"


def test_every_mistake_is_named_at_once() -> None:
    problems = refused({"server": {"prot": 1, "port": "x"}}, {"GATEWAY_LOG__LEVEL": "loud"}).splitlines()
    assert len(problems) == 3


def test_a_secret_of_the_wrong_type_is_not_shown() -> None:
    assert "hush" not in refused({"security": {"encryption_keys": "hush"}, "bootstrap": {"user_secret": ["hush"]}})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("server.port", 65_536),
        ("server.port", -1),
        ("server.host", " "),
        ("server.public_url", "hooks.example.com"),
        ("server.public_url", "https://user@hooks.example.com"),
        ("server.public_url", "https://hooks.example.com/?a=b"),
        ("server.public_url", "https://hooks.example.com:port"),
        ("server.trusted_proxies", ["10.0.0.1/8"]),
        ("storage.url", "mysql://host/database"),
        ("egress.allow_networks", ["localhost"]),
        ("delivery.retry_schedule", []),
        ("delivery.retry_schedule", ["0s"]),
        ("delivery.retry_schedule", ["4000d"]),
        ("delivery.timeout", "0s"),
        ("delivery.concurrency", 0),
        ("delivery.concurrency_per_destination", 10_001),
        ("inbound.max_body", "1GiB"),
        ("inbound.rate_limit", -1),
        ("inbound.rate_limit", float("nan")),
        ("retention.events", "0s"),
        ("partner.application_display_name", ""),
        ("partner.application_icon", "icon.png"),
        ("partner.application_icon", "data:text/html;base64,PGI+"),
        ("partner.domain", "https://connectors.example.com/"),
        ("bootstrap.user_secret", "two words"),
        ("bootstrap.organization_secret", "a,b"),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(key: str, value: object) -> None:
    section, name = key.split(".")
    assert refused({section: {name: value}}).startswith(f"config.toml: {key}: ")


# Sections of which there are several


def test_price_plans_are_those_that_are_given() -> None:
    given = {"price_plans": [{"id": 7, "name": "Gold"}]}
    assert config.build(given, {}, "config.toml").price_plans == (config.PricePlan(id=7, name="Gold"),)
    assert config.build({}, {}, "config.toml").price_plans == Config().price_plans


def test_a_price_plan_may_say_how_much_a_period_holds() -> None:
    given = {"price_plans": [{"id": 7, "name": "Gold", "events": 10_000, "flows": 5}]}
    [plan] = config.build(given, {}, "config.toml").price_plans
    assert (plan.events, plan.flows, plan.calls, plan.tasks) == (10_000, 5, 0, 0)


def test_price_plans_of_the_environment_win_over_the_file() -> None:
    given = {"price_plans": [{"id": 7, "name": "Gold"}]}
    found = config.build(given, {"GATEWAY_PRICE_PLANS": '[{"id": 8, "name": "Silver"}]'}, "config.toml")
    assert [plan.name for plan in found.price_plans] == ["Silver"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"id": 2, "name": "x"}, "config.toml: price_plans: write [[price_plans]] once for each"),
        ([{"id": 2}], "config.toml: price_plans, number 1: name is missing."),
        ([{"id": 2, "name": "x", "cost": 1}], "config.toml: price_plans, number 1: there is no such key: cost."),
        ([{"id": "two", "name": "x"}], "config.toml: price_plans, number 1: id: expected a whole number, got 'two'."),
        ([{"id": 2, "name": "x"}, {"id": 2, "name": "y"}], "config.toml: price_plans: two of them have the same id."),
        ([{"id": 2, "name": "x", "calls": "many"}], "number 1: calls: expected a whole number, got 'many'."),
        ([{"id": 2, "name": "x", "calls": -1}], "config.toml: price_plans: calls must be 0 (no limit) or more."),
        ([{"id": 0, "name": "x"}], "config.toml: price_plans: each needs an id from 1 to 2147483647 and a name."),
    ],
)
def test_a_price_plan_that_is_none_is_refused_with_its_place(given: object, problem: str) -> None:
    assert problem in refused({"price_plans": given})


# The file


def test_without_a_file_the_defaults_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config.load(None, {}) == Config()


def test_the_file_where_one_stands_counts_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text("[server]\nport = 9\n")
    assert config.load(None, {}).server.port == 9


@pytest.mark.parametrize(("content", "problem"), [(None, "cannot be read"), (b"a = [", "TOML"), (b"\xff", "TOML")])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, problem: str) -> None:
    file = tmp_path / "own.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StartRefused, match=f"own.toml .*{problem}"):
        config.load(file, {})


# What follows from it


@pytest.mark.parametrize(
    ("server", "public_url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8080"),
        ({"host": "::"}, "http://[::1]:8080"),
        ({"host": "::1", "port": 1}, "http://[::1]:1"),
        ({"public_url": "https://hooks.example.com/"}, "https://hooks.example.com"),
        ({"public_url": "https://example.com/hooks"}, "https://example.com/hooks"),
    ],
)
def test_the_public_url_is_given_or_built_from_host_and_port(server: dict[str, Any], public_url: str) -> None:
    assert config.build({"server": server}, {}, "config.toml").public_url == public_url


def test_the_database_is_a_file_in_the_data_directory_unless_it_is_given() -> None:
    assert from_environment(STORAGE__DATA_DIR="there").storage_url == "sqlite:///there/gateway.db"
    assert from_environment(STORAGE__URL="postgresql://host/name").storage_url == "postgresql://host/name"
