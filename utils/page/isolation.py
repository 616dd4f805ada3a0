"""Keeps the page from contacting anybody but its visitors, and all its files in one folder."""

import os
import re
import tempfile
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.errors import DataError

# A browser may load nothing from other hosts. Gradio's own scripts are inline, and its previews are blobs.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
ELSEWHERE = re.compile(
    rb"""<link\b[^>]*\brel="(?:preconnect|dns-prefetch|manifest)"[^>]*>|<script\b[^>]*\bsrc="https?://[^>]*>\s*</script>"""
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "unload=(self)",  # see `page.LEAVING`
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
}


def isolate(folder: Path) -> None:
    """Set the environment of Gradio, which must not be imported yet: it sends nothing and writes to one folder.

    Args:
        folder: folder for all temporary files: unfinished uploads, uploads, results.
    """
    os.environ.update(
        GRADIO_ANALYTICS_ENABLED="False",
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        GRADIO_TEMP_DIR=str(folder),
        GRADIO_EXAMPLES_CACHE=str(folder / "examples"),
        GRADIO_SHARE="False",
        GRADIO_MCP_SERVER="False",
    )
    # Gradio checks that its own server answers, which must not go through a proxy.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
        filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,localhost"))
    )
    tempfile.tempdir = str(folder)


def refuse_downloads() -> None:
    """Make Gradio raise DataError, instead of downloading, for a request with an address in place of an upload."""
    from gradio import processing_utils  # noqa: PLC0415  after `isolate`

    async def refused(url: str, *_: object, **__: object) -> str:
        raise DataError(url[:100], "an address", "an uploaded file")

    def refused_at_once(url: str, *_: object, **__: object) -> str:
        raise DataError(url[:100], "an address", "an uploaded file")

    processing_utils.async_ssrf_protected_download = refused
    processing_utils.ssrf_protected_download = refused_at_once


class OnlyFromHere:
    """An ASGI middleware that adds headers by which browsers contact no other host.

    Browsers connect to the hosts of <link rel="preconnect"> in spite of these headers, so such links, and scripts from
    other hosts, are removed from the page.

    Args:
        app: the application that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and change the answer."""

        start: Message = {}
        page = bytearray()

        async def cleaned(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["cache-control"] = "no-store"  # browsers must not keep a page that was left
                    start = message
                    return
            elif start and message["type"] == "http.response.body":
                page.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                body = ELSEWHERE.sub(b"", bytes(page))
                MutableHeaders(scope=start)["content-length"] = str(len(body))
                await send(start)
                message = {"type": "http.response.body", "body": body}
            await send(message)

        await self.app(scope, receive, cleaned)
