"""`gateway partner`, `user` and `credential`, beside a gateway that runs."""

import json
import subprocess
from pathlib import Path

from tests.kit.command import gateway
from tests.test_cli_doctor import free_port, serving


def test_partners_users_and_credentials_are_made_listed_rotated_and_revoked(tmp_path: Path) -> None:
    port = free_port()

    def said(*words: str, **expected: int) -> "subprocess.CompletedProcess[str]":
        environ = {"GATEWAY_SERVER__PORT": port, "GATEWAY_STORAGE__MIN_FREE": "1MiB"}
        done = gateway(*words, cwd=tmp_path, **environ)
        assert done.returncode == expected.get("code", 0), (words, done.stdout, done.stderr)
        return done

    with serving(tmp_path, port):
        made = json.loads(said("partner", "add", "Acme", "--json").stdout)
        assert {"organization_secret", "user", "credential"} <= set(made)
        assert "Acme" in said("partner", "list").stdout
        shown = said("user", "add", "bob", "--role", "end_user")
        assert "secret: " in shown.stdout
        assert "not shown again" in shown.stderr
        theirs = json.loads(
            said("user", "add", "eve", "--partner", made["id"], "--account", made["account_id"], "--json").stdout
        )
        assert theirs["account_id"] == made["account_id"]
        listed = said("user", "list").stdout
        assert "bob" in listed
        assert "eve" not in listed
        credential = json.loads(said("credential", "add", "ci", "--json").stdout)
        rotated = json.loads(said("credential", "rotate", credential["client_id"], "--json").stdout)
        assert rotated["client_secret"] != credential["client_secret"]
        assert "revoked" in said("credential", "revoke", credential["client_id"]).stdout
        assert "No credential set" in said("credential", "revoke", credential["client_id"], code=1).stderr
        assert credential["client_id"] not in said("credential", "list").stdout
        assert "last administrator" in said("user", "revoke", "1", code=1).stderr
        said("user", "revoke", "3")
        assert "organization_secret: " in said("partner", "rotate", made["id"]).stdout
        assert "shut out" in said("partner", "revoke", made["id"], "--yes").stdout
    assert "No gateway answers" in said("partner", "list", code=1).stderr
