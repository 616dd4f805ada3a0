"""A page that speaks to nobody but its visitors, and whose files are all in one folder."""

import os
import re
import tempfile
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.errors import DataError

# What a browser may load for this page: nothing from elsewhere. Gradio's own scripts are inline, its previews blobs.
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
    """Have Gradio, which is not imported yet, send nothing and write to no other folder.

    Args:
        folder: of all temporary files: uploads that are under way, uploads, results.
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
    # Gradio asks its own server whether it answers; no proxy stands between.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
        filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,localhost"))
    )
    tempfile.tempdir = str(folder)


def refuse_downloads() -> None:
    """A request that names an address in place of an upload has nothing fetched for it."""
    from gradio import processing_utils  # noqa: PLC0415  after `isolate`

    async def refused(url: str, *_: object, **__: object) -> str:
        raise DataError(url[:100], "an address", "an uploaded file")

    def refused_at_once(url: str, *_: object, **__: object) -> str:
        raise DataError(url[:100], "an address", "an uploaded file")

    processing_utils.async_ssrf_protected_download = refused
    processing_utils.ssrf_protected_download = refused_at_once


class OnlyFromHere:
    """Every answer with the headers that keep a browser from asking anybody else; an ASGI middleware.

    A browser connects to the hosts of <link rel="preconnect"> whatever the headers say: they go, with their scripts.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        start: Message = {}
        page = bytearray()

        async def cleaned(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["cache-control"] = "no-store"  # a page left is left, not kept for the way back
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
