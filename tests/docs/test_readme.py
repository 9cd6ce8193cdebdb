"""What the README shows is done here, to the letter."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import jwt
import pytest

from tests.docs.markdown import ROOT, fences, section

README = (ROOT / "README.md").read_text("utf-8")
SHOWN_URL = "http://127.0.0.1:8000"
END = "-- end of block --"


def session():
    """The blocks of the curl session, each with what the README says it prints, None where it says nothing."""
    blocks = []
    for fence in fences(section(README, "A session with curl")):
        if fence.language == "sh":
            blocks.append([fence.text, None])
        else:
            blocks[-1][1] = fence.text
    return blocks


def snippet(language):
    (fence,) = (one for one in fences(section(README, "Verifying tokens elsewhere")) if one[0] == language)
    return fence.text


def looks_like(shown, printed):
    """Whether ``printed`` is what is ``shown``, where ``…`` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.strip("\n").split("…"))
    return re.fullmatch(pattern, printed.strip("\n"), re.DOTALL) is not None


def test_the_curl_session_prints_what_it_shows(dev_url, plain_environ, tmp_path):
    blocks = session()
    assert len(blocks) >= 6
    # As pasted: bash reads a line, runs it, and reads the next.
    pasted = "".join(f"{commands}echo; echo '{END}'\n" for commands, _ in blocks).replace(SHOWN_URL, dev_url)
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-s"],
        input=pasted,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        env=plain_environ,
        check=False,
        timeout=100,
    )
    printed = done.stdout.split(f"\n{END}\n")[:-1]
    assert len(printed) == len(blocks), done.stdout
    for (commands, shown), got in zip(blocks, printed, strict=True):
        assert looks_like(shown or "", got), f"{commands}\nprinted:\n{got}"


@pytest.fixture
def verify(dev_url):
    """The README's own function, against the running service."""
    names = {}
    exec(compile(snippet("python").replace(SHOWN_URL, dev_url), "README.md", "exec"), names)
    return names["verify"]


def test_the_python_snippet_accepts_a_token_of_ours(verify, tokens, dev_url):
    claims = verify(tokens["access_token"])
    assert claims["iss"] == claims["aud"] == dev_url
    assert claims["sid"] == tokens["session_id"]


def test_the_python_snippet_refuses_a_token_that_was_changed(verify, tokens):
    head, body, signature = tokens["access_token"].split(".")
    changed = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    with pytest.raises(jwt.InvalidSignatureError):
        verify(f"{head}.{body}.{changed}")


def test_the_python_snippet_refuses_a_refresh_token(verify, tokens):
    with pytest.raises(jwt.PyJWTError):
        verify(tokens["refresh_token"])


def test_the_node_snippet_accepts_a_token_of_ours_and_refuses_another(tokens, dev_url, tmp_path):
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests/interop/node" / name, tmp_path)
    install = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
    done = subprocess.run([npm, *install], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    if re.search(r"E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH)", done.stderr):
        pytest.skip("npm cannot reach its registry, and its cache does not hold jose")
    assert done.returncode == 0, done.stderr
    (tmp_path / "verify.mjs").write_text(snippet("js").replace(SHOWN_URL, dev_url))
    (tmp_path / "main.mjs").write_text(
        "import { verify } from './verify.mjs';\n"
        "const [good, bad] = process.argv.slice(2);\n"
        "const claims = await verify(good);\n"
        "const refused = await verify(bad).then(() => null, (error) => error.code);\n"
        "console.log(JSON.stringify({ sid: claims.sid, refused }));\n"
    )
    good = tokens["access_token"]
    arguments = [node, "main.mjs", good, good[:-8] + "AAAAAAAA"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "sid": tokens["session_id"],
        "refused": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
    }
