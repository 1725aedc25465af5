"""Telling somebody that a run failed: a command or a webhook of their own."""

from __future__ import annotations

import subprocess

import httpx

_SECONDS = 30


def tell(hook: str, summary: bytes) -> str:
    """Give `summary` to a command as its input, or post it to an http(s) URL; return in words why it could not be."""
    try:
        if hook.startswith(("http://", "https://")):
            kind = {"content-type": "application/json"}
            httpx.post(hook, content=summary, headers=kind, timeout=_SECONDS).raise_for_status()
        else:
            subprocess.run(hook, input=summary, shell=True, check=True, timeout=_SECONDS)  # noqa: S602  # the user's own command
    except (httpx.HTTPError, httpx.InvalidURL, OSError, subprocess.SubprocessError) as error:
        return f"the hook could not be told: {type(error).__name__}"
    return ""
