"""What stands between a click and the code: errors as lines, one request at a time, nothing asked elsewhere."""

import asyncio

import pytest

from data.errors import DataError

gr = pytest.importorskip("gradio", reason="requirements-demo.txt is not installed")

from utils.page import handlers, isolation  # noqa: E402
from utils.page.visitors import Visitors  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Gradio's, of its next version


class Request:
    session_hash = "one"


def test_errors_are_one_line_without_the_server_s_folders(tmp_path, capsys):
    wrapped = handlers.Handlers(Visitors(tmp_path))

    def fails(error):
        def run(job):
            raise error

        with pytest.raises(gr.Error) as found:
            wrapped.call(run)(Request())
        return found.value.message

    assert fails(DataError(tmp_path / "ab12/my pair.png", "this", "that")) == "my pair.png: found this, expected that"
    assert fails(DataError("a.png", f"no image ('{tmp_path}/ab1 ...)", "one")) == (
        "a.png: found no image ('the upload ...), expected one"
    )
    cut = str(tmp_path)[: len(str(tmp_path)) // 2]
    assert fails(DataError("a.png", f"no image ({cut} ...)", "one")) == (
        "a.png: found no image (the upload ...), expected one"
    )
    assert fails(MemoryError()) == "out of memory; choose a smaller crop or a smaller image"
    assert fails(FileNotFoundError(2, "No such file", str(tmp_path / "ab12/a.png"))) == "a.png: No such file"
    assert capsys.readouterr().err == ""
    assert fails(KeyError("x")) == "an error of this software (KeyError); the terminal shows where"
    assert "KeyError" in capsys.readouterr().err
    wrapped.leave(Request())
    assert fails(ValueError()) == handlers.GONE


def test_a_page_names_nobody_else():
    body = b'<link rel="preconnect" href="https://x.org" />a<script src="https://x.org/y.js" async></script>b'

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": body[:30], "more_body": True})
        await send({"type": "http.response.body", "body": body[30:]})

    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(isolation.OnlyFromHere(app)({"type": "http"}, None, send))
    headers = dict(sent[0]["headers"])
    assert sent[1]["body"] == b"ab"
    assert headers[b"content-length"] == b"2"
    assert b"default-src 'self'" in headers[b"content-security-policy"]
    assert headers[b"cache-control"] == b"no-store"


def test_an_address_is_not_fetched(monkeypatch):
    from gradio import processing_utils

    for name in ("async_ssrf_protected_download", "ssrf_protected_download"):
        monkeypatch.setattr(processing_utils, name, getattr(processing_utils, name))  # put back afterwards
    isolation.refuse_downloads()
    block = gr.File()
    with pytest.raises(DataError, match="found an address"):
        asyncio.run(block.async_move_resource_to_block_cache("https://example.org/a.png"))


def test_one_request_at_a_time_is_with_the_networks(tmp_path):
    from utils.page.page import build

    page = build(Visitors(tmp_path), "cpu")
    fuse = [f for f in page.fns.values() if f.concurrency_id == "network"]
    assert len(fuse) == 5  # fuse, look inside; open, fuse; fuse
    assert {f.concurrency_limit for f in fuse} == {1}
    assert {f.api_name for f in page.fns.values() if f.api_name} <= {"leave"}
