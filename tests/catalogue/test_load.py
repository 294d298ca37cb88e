"""What a connector file may say, and what is answered to one that says something else."""

from pathlib import Path

import pytest

from gateway.catalogue.catalogue import Catalogue
from gateway.catalogue.load import load_catalogue, load_file
from gateway.errors import CatalogueError
from tests.catalogue.connector_file import HEAD, MAPPING, PROOF, SECRET, WEBHOOK, connector_of, problems_of

WRONG = {
    "an unknown key with its nearest word": (
        'descripton = "x"',
        "descripton: unknown key; did you mean 'description'?",
    ),
    "an unknown key like no other": ("zzz = 1", "zzz: unknown key; expected one of ack_deadline"),
    "an unknown key deep inside": (
        WEBHOOK + 'tolerence = "5m"',
        "webhook.verify[0].tolerence: unknown key; did you mean 'tolerance'?",
    ),
    "a wrong type": ("tags = 3", "tags: expected a list of texts, got 3"),
    "an id that is none": ("id = 0", "id: expected a whole number of 1 or more, got 0"),
    "true as a number": ("id = true", "id: expected a whole number"),
    "a size without a unit": ('max_body = "5 apples"', "max_body: expected a size such as 1MiB"),
    "no duration": ('ack_deadline = "soon"', "ack_deadline: 'soon' is no duration"),
    "an unknown source": (WEBHOOK.replace("body:type", "bdy:type"), "webhook.type: 'bdy:type' is no locator here"),
    "an unknown word": (WEBHOOK.replace("{raw}", "{rwa}"), "webhook.verify[0].signed: {rwa} is neither a locator"),
    "a word of another place": (
        MAPPING.replace("{body:type}", "{raw}") + SECRET + PROOF,
        "webhook.type: {raw} has no meaning here",
    ),
    "a lone brace": (WEBHOOK.replace("{raw}", "{raw"), "webhook.verify[0].signed: a lone '{'"),
    "a path with an empty step": (WEBHOOK.replace("body:type", "body:a..b"), "webhook.type: 'a..b' is no path"),
    "an entry that nobody declared": (
        WEBHOOK.replace("config:secret", "config:secrte"),
        "config entry 'secrte' is not declared; did you mean 'secret'?",
    ),
    "a secret in the mapping": (
        WEBHOOK.replace("{body:type}", "{config:secret}"),
        "webhook.type: the secret 'secret' may stand only in auth",
    ),
    "a secret in an address": (
        SECRET + '[methods.a]\nrequest = "GET /{config:secret}"',
        "methods.a.request: the secret 'secret' may stand only",
    ),
    "a secret in an answer": (
        WEBHOOK + '[[webhook.handshake]]\nwhen = { method = "GET" }\nrespond = { body = "{config:secret}" }',
        "webhook.handshake[0].respond.body: the secret",
    ),
    "a secret in an indirection": (
        WEBHOOK.replace("header:x-signature", "header:@secret").replace("{body:type}", "{body:@secret}"),
        "webhook.type: the secret",
    ),
    "a core secret in the mapping": (
        WEBHOOK.replace("{body:type}", "{config:oauth.api.secret}"),
        "webhook.type: the secret 'oauth.api.secret'",
    ),
    "a tolerance without a time": (WEBHOOK + 'tolerance = "5m"', "webhook.verify[0].tolerance: needs timestamp"),
    "a time that is not signed": (
        WEBHOOK + 'timestamp = "header:x-time"',
        "webhook.verify[0].timestamp: must be part of signed",
    ),
    "no proof asked at all": (MAPPING, "webhook.verify: is missing"),
    "none without a condition": (MAPPING + '[[webhook.verify]]\nscheme = "none"', "webhook.verify[0].if: is missing"),
    "an unknown scheme": (WEBHOOK.replace('"hmac"', '"hmca"'), "webhook.verify[0].scheme: expected one of hmac"),
    "an unknown hash": (WEBHOOK.replace("sha256", "sha265"), "webhook.verify[0].hash: expected one of"),
    "md5 as a keyed hash": (WEBHOOK.replace("sha256", "md5"), "webhook.verify[0].hash: expected one of sha1"),
    "a digest without the secret": (
        WEBHOOK.replace("hmac", "digest"),
        "webhook.verify[0].signed: must contain {secret}",
    ),
    "a constant signature": (
        WEBHOOK.replace("{raw}", "fixed"),
        "webhook.verify[0].signed: signs nothing of the delivery",
    ),
    "a certificate from anywhere": (
        MAPPING
        + '[[webhook.verify]]\nscheme = "public_key"\nalgorithm = "rsa"\nsignature = "header:s"\nsigned = "{raw}"\n'
        + 'cert_url = "header:u"',
        "webhook.verify[0].cert_hosts: is missing",
    ),
    "a confirmation anywhere": (
        WEBHOOK + '[[webhook.handshake]]\nwhen = { method = "POST" }\nconfirm_url = "body:u"\nrespond = {}',
        "webhook.handshake[0].confirm_hosts: is missing",
    ),
    "a handshake that is always meant": (
        WEBHOOK + "[[webhook.handshake]]\nwhen = {}",
        "webhook.handshake[0].when: is empty",
    ),
    "an unknown action": (
        WEBHOOK.replace("[[webhook.verify", 'action = "body:a"\nactions = { a = "CREATE" }\n[[webhook.verify'),
        "webhook.actions.a: expected one of CREATED",
    ),
    "plain http": (
        '[http]\nbase_url = "http://shop.example"',
        "http.base_url: expected an address that begins with https://",
    ),
    "a host with a path": ('[http]\nhosts = ["shop.example/a"]', "http.hosts: expected plain host names"),
    "a user name in an address": (
        '[http]\nbase_url = "https://me:word@shop.example"',
        "http.base_url: expected a host behind https://, with at most a port behind it, got 'me:word@shop.example'",
    ),
    "a port that is none": (
        '[http]\nbase_url = "https://shop.example:x/api"',
        "http.base_url: expected a host behind https://",
    ),
    "a request to a host of nobody's": (
        '[http]\nbase_url = "https://shop.example"\n[methods.a]\nrequest = "GET https://other.example/a"',
        "methods.a.request: goes to a host that is neither that of http.base_url nor one of http.hosts",
    ),
    "a registration at a host of nobody's": (
        '[http]\nbase_url = "https://{config:secret}.shop.example"\n'.replace("config:secret", "const:eu")
        + WEBHOOK
        + '[webhook.subscribe]\nrequest = "POST https://shop.example/hooks"',
        "webhook.subscribe.request: goes to a host",
    ),
    "a secret in the address of a login": (
        SECRET + '[auth.o]\ntype = "oauth2"\ngrant = "authorization_code"\ntoken_url = "https://shop.example/t"\n'
        'authorize_url = "https://shop.example/a?key={config:secret}"',
        "auth.o.authorize_url: the secret 'secret' may stand only in",
    ),
    "a secret in the address of a session": (
        SECRET + '[auth.s]\ntype = "session"\nrequest = "POST /login/{config:secret}"\ntoken = "body:token"',
        "auth.s.request: the secret 'secret' may stand only in",
    ),
    "a header that is none": (
        WEBHOOK + '[[webhook.handshake]]\nwhen = { method = "GET" }\nrespond = { headers = { "x-a\\r\\nx-b" = "1" } }',
        "webhook.handshake[0].respond.headers: expected names of headers",
    ),
    "a media type over two lines": (
        WEBHOOK
        + '[[webhook.handshake]]\nwhen = { method = "GET" }\nrespond = { content_type = "text/plain\\r\\nx: y" }',
        "webhook.handshake[0].respond.content_type: expected a media type",
    ),
    "confirmation at any host": (
        WEBHOOK + '[[webhook.handshake]]\nwhen = { method = "GET" }\nconfirm_url = "body:u"\nconfirm_hosts = ["*.com"]',
        "webhook.handshake[0].confirm_hosts: expected names such as api.example.com",
    ),
    "a slow pattern": ('[[config]]\nkey = "a"\nname = "A"\npattern = "^(a+)+$"', "config[0].pattern: may take forever"),
    "a default outside the choices": (
        '[[config]]\nkey = "a"\nname = "A"\nchoices = ["x"]\ndefault = "y"',
        "config[0].default: expected one of x, got 'y'",
    ),
    "a default secret": (
        '[[config]]\nkey = "a"\nname = "A"\nsecret = true\ndefault = "y"',
        "config[0].default: a secret has no default",
    ),
    "an entry twice": (SECRET + SECRET, "config[1].key: 'secret' is declared twice"),
    "a core entry again": (SECRET.replace('"secret"', '"base.url"'), "config.base.url: is a core entry"),
    "a default of no core entry": (
        '[defaults]\n"event.objcts" = "a"',
        "defaults.event.objcts: is no core entry; did you mean 'event.objects'?",
    ),
    "an entry of an unknown way": (
        SECRET + 'auth = "tokn"\n[auth.token]\ntype = "bearer"\ntoken = "{config:secret}"',
        "config[0].auth: expected one of token, got 'tokn'",
    ),
    "an unknown way": ('[auth.a]\ntype = "baisc"', "auth.a.type: expected one of none, api_key, basic"),
    "a method that pages unknown": (
        '[methods.a]\nrequest = "GET /a"\npaginate = "x"',
        "methods.a.paginate: expected one of",
    ),
    "an unknown verb": ('[methods.a]\nrequest = "GTE /a"', "methods.a.request: expected one of GET"),
    "a resource of no method": (
        '[methods.a]\nrequest = "GET /a"\n[resources.as]\nlist = "b"',
        "resources.as.list: 'b' is no method of this file",
    ),
    "a poll without its time": (
        '[[poll]]\nname = "p"\nrequest = "GET /p"\nrecords = ""\nid = "id"\ntype = "p"',
        "poll[0].updated: is missing",
    ),
    "an interval outside its bounds": (
        '[[poll]]\nname = "p"\nrequest = "GET /p"\nrecords = ""\nid = "id"\nupdated = "u"\ntype = "p"\n'
        'interval = { default = "1s", min = "1m" }',
        "poll[0].interval.default: expected a duration between",
    ),
    "one URL without an account": (
        WEBHOOK.replace("[[webhook.verify", 'scope = "connector"\n[[webhook.verify'),
        "webhook.account: is missing",
    ),
    "no network": (WEBHOOK + 'networks = ["10.0.0.1/8"]', "webhook.verify[0].networks: "),
    "a time zone of nowhere": (
        WEBHOOK.replace("[[webhook.verify", 'date_timezone = "Mars/Base"\n[[webhook.verify'),
        "webhook.date_format: 'Mars/Base' is no time zone",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_mistake_is_named_with_file_key_and_what_was_expected(what: str, tmp_path: Path) -> None:
    text, expected = WRONG[what]
    found = problems_of(tmp_path, text)
    assert f"{tmp_path / 'shop.toml'}:" in found
    assert expected in found


@pytest.mark.parametrize(
    "text", [SECRET, WEBHOOK, WEBHOOK + 'tolerance = "5m"\ntimestamp = "header:t"\n'.replace("{raw}", "")]
)
def test_what_the_mistakes_start_from_is_right(text: str, tmp_path: Path) -> None:
    signed = text.replace("{raw}", "{header:t}{raw}")
    assert problems_of(tmp_path, signed) == ""


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    found = problems_of(tmp_path, 'id = 0\ntags = 3\nzzz = 1\n[http]\nbase_url = "ftp://x"')
    assert len(found.splitlines()) == 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('format = 2\nkey = "shop"\nname = "S"\nversion = "1.0.0"\n', "format: expected 1, got 2"),
        ('format = 1\nkey = "Shop!"\nname = "S"\nversion = "1.0.0"\n', "key: expected lower-case letters"),
        ('format = 1\nkey = "shop"\nname = "S"\nversion = "one"\n', "version: expected a semantic version"),
        ('format = 1\nkey = "shop"\n', "name: is missing"),
        ("format = ", "is no TOML"),
    ],
)
def test_the_head_is_checked(line: str, expected: str, tmp_path: Path) -> None:
    assert expected in problems_of(tmp_path, "", head=line)


def test_a_file_that_is_not_text_or_endless_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    for raw in (b"\xff\xfe", b"#" * (1 << 20) + b"##", b"a = " + b"[" * 5000):
        file.write_bytes(raw)
        with pytest.raises(CatalogueError, match=r"x\.toml"):
            load_file(file)


def test_a_connector_of_the_operator_replaces_a_shipped_one_and_joins_the_rest(tmp_path: Path) -> None:
    (tmp_path / "github.toml").write_text(HEAD.replace("shop", "github").replace("Shop", "Our GitHub"))
    (tmp_path / "shop.toml").write_text(HEAD)
    shipped, catalogue = load_catalogue([]), load_catalogue([tmp_path])
    assert {one.key for one in catalogue} == {one.key for one in shipped} | {"shop"}
    assert [one.key for one in catalogue] == sorted(one.key for one in catalogue)
    github = catalogue.get("github")
    assert github is not None
    assert github.name == "Our GitHub"
    assert catalogue.get("nothing") is None
    assert len(catalogue) == len(catalogue.all()) == len(shipped) + 1


def test_a_request_may_go_to_the_host_of_the_base_and_to_declared_ones(tmp_path: Path) -> None:
    base = '[http]\nbase_url = "https://{const:eu}.shop.example:443/v1"\nhosts = ["Files.shop.example"]\n'
    for address in ("https://us.shop.example/a", "https://files.shop.example:443/a", "https://{host}/a", "/a"):
        assert problems_of(tmp_path, base + f'[methods.a]\nrequest = "GET {address}"') == ""


def test_a_byte_order_mark_in_front_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_bytes(b"\xef\xbb\xbf" + HEAD.encode() + b'descripton = "x"')
    with pytest.raises(CatalogueError, match=r"shop\.toml:6: descripton: unknown key"):
        load_file(tmp_path / "shop.toml")


def test_a_mistake_is_told_once(tmp_path: Path) -> None:
    found = problems_of(tmp_path, "", head='format = 1\nkey = "shop"\nname = "S"\nversion = 1.0\n')
    assert found.splitlines() == [f"{tmp_path / 'shop.toml'}:4: version: expected a text, got 1.0"]


def test_a_proof_that_leaves_the_body_out_is_a_warning(tmp_path: Path) -> None:
    bare, whole = (
        connector_of(tmp_path, WEBHOOK.replace("{raw}", signed)) for signed in ("{header:t}", "{header:t}{raw}")
    )
    assert bare.warnings == (
        "webhook.verify[0].signed: nothing of the body is signed: who has seen one delivery can send any other",
    )
    assert whole.warnings == ()


def test_one_key_in_two_files_of_the_operator_is_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shop.toml").write_text(HEAD)
    with pytest.raises(CatalogueError, match=r"is the key of .*a/shop\.toml too"):
        load_catalogue([tmp_path / "a", tmp_path / "b"])


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="expected a folder of connector files"):
        load_catalogue([tmp_path / "nowhere"])


def test_links_that_lead_in_circles_end(tmp_path: Path) -> None:
    (tmp_path / "deeper").symlink_to(tmp_path)
    (tmp_path / "shop.toml").write_text(HEAD)
    assert load_catalogue([tmp_path]).get("shop") is not None
    (tmp_path / "self.toml").symlink_to(tmp_path / "self.toml")
    with pytest.raises(CatalogueError, match=r"self\.toml: cannot be read"):
        load_catalogue([tmp_path])


def test_a_folder_of_endless_files_is_refused(tmp_path: Path) -> None:
    for n in range(10_001):
        (tmp_path / f"{n}.toml").touch()
    with pytest.raises(CatalogueError, match="more than 10000 connector files"):
        load_catalogue([tmp_path])


def test_what_is_saved_is_an_entry_that_nobody_sees(tmp_path: Path) -> None:
    connector = connector_of(
        tmp_path,
        WEBHOOK + '[webhook.subscribe]\nrequest = "POST /h"\nsave = { "webhook.id" = "body:id" }\n'
        'delete = "DELETE /h/{config:webhook.id}"',
    )
    entry = connector.entries["webhook.id"]
    assert (entry.hidden, entry.internal, entry.filled_by) == (True, True, "webhook.subscribe")


def test_ack_is_an_answer_or_in_older_files_a_time_limit(tmp_path: Path) -> None:
    limited = connector_of(tmp_path, WEBHOOK.replace("[[webhook.verify", 'ack = "3s"\n[[webhook.verify'))
    answered = connector_of(
        tmp_path, WEBHOOK.replace("[[webhook.verify", 'ack = { body = "[accepted]" }\n[[webhook.verify')
    )
    assert limited.webhook is not None
    assert answered.webhook is not None
    assert (limited.ack_deadline, limited.webhook.ack) == (3000, None)
    assert answered.webhook.ack is not None
    assert answered.ack_deadline is None


def test_pages_that_drift_are_a_warning(tmp_path: Path) -> None:
    connector = connector_of(
        tmp_path,
        '[pagination.p]\ntype = "offset"\n[[poll]]\nname = "p"\nrequest = "GET /p"\nrecords = ""\nid = "id"\n'
        'updated = "u"\ntype = "p"\norder = "asc"\npaginate = "p"',
    )
    assert connector.warnings == ("poll[0]: ascending order with offset pages skips records while others move",)
    assert connector.event_methods == ("polling",)


def test_sizes_and_ids_are_read(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, 'id = 7\nmax_body = "2MiB"\nhub = "commerce"\nredelivers = false\n')
    assert (connector.id, connector.max_body, connector.hub, connector.redelivers) == (7, 2 << 20, "commerce", False)
    assert Catalogue([connector]).get("shop") is connector
