"""``keyturn dev`` as a process: one command, everything in one folder, and nothing left behind."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

PASSWORD = "correct horse battery staple"


def sign_up(http, url, email):
    assert http.post(f"{url}/v1/register", json={"email": email, "password": PASSWORD}).status_code == 202
    for _ in range(200):
        mails = http.get(f"{url}/dev/mail", headers={"Accept": "application/json"}).json()["mails"]
        mine = [mail for mail in mails if mail["to"] == email]
        if mine:
            break
    mail = http.get(f"{url}/dev/mail/{mine[0]['name']}", headers={"Accept": "application/json"}).json()
    token = mail["links"][0].partition("token=")[2]
    assert http.post(f"{url}/v1/email/verify", json={"token": token}).status_code == 204


def sign_in(http, url, email):
    answer = http.post(f"{url}/v1/login", json={"identifier": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_dev_says_where_it_is_serves_the_main_job_and_ends_without_a_trace(start, run, http, tmp_path):
    dev = start("dev", "--port", "0", "--data", ".keyturn")
    url = dev.wait_until_ready()
    assert http.get(f"{url}/healthz").json() == {"status": "ok"}
    assert http.get(f"{url}/readyz").json() == {"status": "ready"}
    sign_up(http, url, "ada@example.com")
    tokens = sign_in(http, url, "ada@example.com")
    renewed = http.post(f"{url}/v1/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert renewed.status_code == 200

    # Metrics are on a port of their own and nowhere else; what is written is in the folder and nowhere else.
    assert http.get(f"{url}/metrics").status_code == 404
    assert 'keyturn_security_events_total{kind="sign_in",outcome="ok"} 1.0' in http.get(dev.metrics_url).text
    assert list((tmp_path / ".keyturn/mail/new").iterdir())
    for name in ("secrets.env", "running.env"):
        assert (tmp_path / ".keyturn" / name).stat().st_mode & 0o077 == 0, "for its owner alone"
    assert [path.name for path in tmp_path.iterdir() if path.suffix not in {".out", ".err"}] == [".keyturn"]

    # Another command in the same folder finds it.
    status, out, err = run("users", "disable", "ada@example.com")
    assert (status, out.strip().endswith("is disabled")) == (0, True), err
    assert http.post(f"{url}/v1/refresh", json={"refresh_token": renewed.json()["refresh_token"]}).status_code == 401

    # A second one on the folder, or on the port, says so in one line and does no harm.
    status, out, err = run("dev", "--port", "0", "--data", ".keyturn")
    assert (status, len(err.strip().splitlines())) == (1, 1), err
    assert "is in use" in err
    status, _, err = run("dev", "--port", url.rpartition(":")[2], "--data", "other")
    assert (status, len(err.strip().splitlines())) == (1, 1), err
    assert "--port" in err
    assert (tmp_path / ".keyturn/running.env").is_file(), "the first one's note is still there"
    assert run("keys", "list")[0] == 0

    assert dev.end(signal.SIGTERM) == 0
    assert dev.orphans() == []
    assert not (tmp_path / ".keyturn/running.env").exists()
    assert "Traceback" not in dev.err


def test_kill_9_leaves_no_orphan_and_no_loss_and_ctrl_c_ends_with_status_0(start, http):
    dev = start("dev", "--port", "0", "--data", "data")
    url = dev.wait_until_ready()
    sign_up(http, url, "ada@example.com")
    tokens = sign_in(http, url, "ada@example.com")
    dev.end(signal.SIGKILL)
    assert dev.orphans() == [], "the engine outlived its owner"

    again = start("dev", "--port", "0", "--data", "data", KEYTURN_ISSUER=url)
    new_url = f"http://127.0.0.1:{again.wait_for(lambda: listening_port(again))}"
    renewed = http.post(f"{new_url}/v1/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert renewed.status_code == 200, renewed.text
    assert renewed.json()["session_id"] == tokens["session_id"]
    assert sign_in(http, new_url, "ada@example.com")["session_id"] != tokens["session_id"]
    assert again.end(signal.SIGINT) == 0
    assert again.orphans() == []
    assert "Traceback" not in again.err


def listening_port(command):
    """The public port of a ``dev`` whose issuer was set to something else; it is ready then."""
    if "Keyturn is ready at" not in command.out:
        return None
    metrics = int(command.metrics_url.rpartition(":")[2].partition("/")[0])
    connections = psutil.Process(command.process.pid).net_connections("tcp")
    ports = {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN} - {metrics}
    return ports.pop() if ports else None


def test_a_dynamodb_of_ones_own_is_used_and_no_engine_started(start, engine_url, http, tmp_path):
    environ = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    dev = start("dev", "--port", "0", "--data", "data", KEYTURN_TABLE_PREFIX=f"dev-{os.getpid()}", **environ)
    url = dev.wait_until_ready()
    assert "AWS_ENDPOINT_URL_DYNAMODB is set: using that DynamoDB, no engine is started." in dev.err
    assert not (tmp_path / "data/engine").exists()
    assert dev.family == []
    assert http.get(f"{url}/readyz").status_code == 200
    assert dev.end() == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}, "AWS_REGION"),
        ({"KEYTURN_MAIL_URL": "pop3:canary"}, "KEYTURN_MAIL_URL: "),
    ],
    ids=str,
)
def test_what_cannot_work_is_one_line(run, changes, says):
    environ = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9", **changes}
    status, out, err = run("dev", "--port", "0", "--data", "data", **environ)
    lines = [line for line in err.splitlines() if "no engine is started" not in line]
    assert (status, out, len(lines)) == (1, "", 1), (out, err)
    assert lines[0].startswith("keyturn: ")
    assert says in lines[0]
    assert "canary" not in err


def test_a_folder_that_is_a_file_is_one_line(run, tmp_path):
    (tmp_path / "data").write_text("")
    status, _, err = run("dev", "--port", "0", "--data", "data")
    assert (status, len(err.strip().splitlines())) == (1, 1), err
