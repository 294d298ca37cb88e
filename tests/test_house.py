"""The house rules: what a reader may rely on without looking."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "gateway"
LONGEST_FILE = 400
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "service", "misc", "stuff"}
#: Acts that are nothing but statements, over several rooms' rows.
SWEEPERS = {"events/removal.py", "events/sweep.py"}
#: Which files may know a library; everybody else asks them.
DOORS = {
    "aiosqlite": "storage/sqlite.py",
    "sqlite3": "storage/sqlite.py",
    "asyncpg": "storage/postgres.py",
    "apscheduler": "duties.py",
    "httptools": "egress/",
    "aiohttp": "egress/",
    "jinja2": "console/",
    "argon2": "accounts/",
    "cryptography": "",
    "jwt": "jose.py",
    "prometheus_client": "",
}
_SQL = re.compile(
    r"\s*(SELECT\s.*\sFROM|SELECT \w+\(|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE (TABLE|INDEX))", re.S
)
_MACHINE_PATH = re.compile(r"(?<![\w.:/{}])/(home|root|Users|work|workspace)/\w")


def files(*folders: str, suffix: str = ".py") -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}")]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_file(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


#: Each process that runs some of this reads all of the code.
pytestmark = pytest.mark.xdist_group("house")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def texts(path: Path) -> Iterator[str]:
    """Every text of a module that is no docstring; a text with values in it by its first part."""
    module = tree(path)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(module)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in files("gateway", "bench", "tests")}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_file_has_a_name_that_fits_anything() -> None:
    assert [name(path) for path in files("gateway", "bench", "tests") if path.stem in EMPTY_WORDS] == []


@pytest.mark.parametrize("door", [path for path in files("gateway") if path.name == "__init__.py"], ids=name)
def test_the_sign_on_every_door_is_one_docstring(door: Path) -> None:
    [only] = tree(door).body
    assert isinstance(only, ast.Expr)
    assert isinstance(only.value, ast.Constant)
    assert isinstance(only.value.value, str)


def test_every_module_says_what_it_is() -> None:
    assert [name(path) for path in files("gateway", "bench") if not ast.get_docstring(tree(path))] == []


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library: str) -> None:
    users = {room_file(path) for path in files("gateway") if any(_is_from(one, library) for one in imported(path))}
    if library == "aiohttp":
        users = {user for user in users if _knows_the_client(HOUSE / user)}
    if DOORS[library]:
        assert sorted(user for user in users if not user.startswith(DOORS[library])) == []
    else:
        assert len(users) <= 2, users


def _is_from(module: str, library: str) -> bool:
    return module == library or module.startswith(library + ".")


def _knows_the_client(path: Path) -> bool:
    # aiohttp has two sides; its server is for surfaces, and for the demo's consumer.
    server = ("aiohttp.web", "aiohttp.typedefs")
    return any(_is_from(one, "aiohttp") and not one.startswith(server) for one in imported(path))


def test_only_the_log_sets_the_log_up() -> None:
    assert [room_file(path) for path in files("gateway") if "structlog.configure(" in path.read_text()] == ["log.py"]


def test_only_the_configuration_reads_the_environment() -> None:
    words = ("os.environ", "os.getenv", "import environ", "import getenv")
    users = [room_file(path) for path in files("gateway") if any(word in path.read_text("utf-8") for word in words)]
    assert users == ["config.py"]


def test_sql_stands_in_stores_only() -> None:
    speakers = {room_file(path) for path in files("gateway") if any(_SQL.match(text) for text in texts(path))}
    strangers = {one for one in speakers if not one.endswith("/store.py") and not one.startswith("storage/")}
    assert strangers <= SWEEPERS


def test_no_test_puts_a_mock_in_place_of_our_own_code() -> None:
    # Spelled apart, so that this file does not find itself.
    pattern = re.compile(r"patch" + r"(\.object\(\s*gateway|\(\s*[\"']gateway)")
    assert [name(path) for path in files("tests") if pattern.search(path.read_text("utf-8"))] == []


def test_the_type_checker_is_never_set_aside() -> None:
    mark = "# type: " + "ignore"
    assert [name(path) for path in files("gateway", "bench", "tests") if mark in path.read_text("utf-8")] == []


def test_the_requirements_name_versions_and_hashes_but_no_address() -> None:
    locks = files("requirements", suffix=".txt")
    assert [name(lock) for lock in locks] == [f"requirements/{one}.txt" for one in ("build", "dev", "postgres", "run")]
    for lock in locks:
        assert "://" not in lock.read_text("utf-8")
        assert "--hash=sha256:" in lock.read_text("utf-8")


def test_no_text_names_a_place_on_somebody_s_machine() -> None:
    found = [path for folder in ("gateway", "bench", "tests", "docs") for path in (ROOT / folder).rglob("*")]
    found += [path for path in ROOT.iterdir() if path.suffix in (".md", ".toml") or path.name in ("dev", "Dockerfile")]
    texts = {
        name(path): path.read_text("utf-8") for path in found if path.is_file() and path.suffix not in (".pyc", ".png")
    }
    del texts[name(Path(__file__))]
    assert {path: match[0] for path, text in texts.items() if (match := _MACHINE_PATH.search(text))} == {}


def test_what_the_machine_runs_is_what_the_readme_says() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert [line for line in script.splitlines() if not line.startswith("#")] == ["exec ./dev test"]


def test_importing_the_gateway_does_nothing() -> None:
    """No environment is read, no file or socket opened, no thread begun, whichever module comes first."""
    done = subprocess.run([sys.executable, "-c", _BARE], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("", "")


_BARE = r"""
import ast, collections.abc, contextlib, importlib, os, pathlib, pkgutil, sys, threading

sys.path.insert(0, os.getcwd())
folder = pathlib.Path("gateway").resolve()
names = sorted(
    ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in folder.rglob("*.py")
)
names.remove("gateway.__main__")
# What others do when they are imported is their business: all of it is imported first.
for path in folder.rglob("*.py"):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            found = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for module in found:
            if not module.startswith("gateway"):
                with contextlib.suppress(ModuleNotFoundError):
                    importlib.import_module(module)

# click asks for the language when it is told about an option.
LANGUAGE = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")

class Told(collections.abc.MutableMapping):
    def __init__(self, real): self.real = real
    def __getitem__(self, key):
        if key not in LANGUAGE:
            print("environment:", key)
        return self.real[key]
    def __setitem__(self, key, value): print("environment set:", key)
    def __delitem__(self, key): print("environment:", key)
    def __iter__(self): print("environment: all"); return iter(self.real)
    def __len__(self): return len(self.real)

def watch(event, arguments):
    if event == "open" and not str(arguments[0]).endswith((".py", ".pyc")) and ".pyc." not in str(arguments[0]):
        print("opens", arguments[0])
    elif event.startswith(("socket.", "subprocess.", "sqlite3.")):
        print(event, arguments)

os.environ = Told(os.environ)
sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
if threading.active_count() != 1:
    print("threads", threading.enumerate())
os.environ = os.environ.real
"""
