"""Uploaded files: private, under names of ours, read by links that expire."""

from __future__ import annotations


class StorageUnavailableError(OSError):
    """The object store did not answer in time, or refused us. An OSError, so that tasks retry it.

    A view of the API that lets it through answers 503. Never raised by `url()` with keys of our
    own: links are signed in the process.
    """
