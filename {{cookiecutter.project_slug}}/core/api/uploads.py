"""Files that clients send, with a bound that holds before the first byte is read.

Django limits the fields of a form and not its files: 60 MB are written to the disk and accepted.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.http import UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.views import APIView

from core.problems.exceptions import PayloadTooLarge

# Bytes of a form around its file: boundaries, headers, small fields.
_FORM = 64 * 1024


class UploadView(APIView):
    """A view that takes a form with one file of at most `max_upload_bytes`.

    A form that is garbled is a 400, as DRF has it.
    """

    parser_classes = (MultiPartParser,)
    max_upload_bytes: ClassVar[int]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises `PayloadTooLarge` by what the client says: WSGI reads no more than that.

        Here, because the check of a session's CSRF token reads the form, file and all.
        """
        length = request.META.get("CONTENT_LENGTH") or "0"
        if int(length) > self.max_upload_bytes + _FORM:
            raise self._too_large()
        super().initial(request, *args, **kwargs)

    def uploaded(self, request: Request, field: str) -> UploadedFile[bytes]:
        """The file of the form. Raises `ValidationError`, `ParseError` or `PayloadTooLarge`."""
        try:
            file = request.FILES.get(field)
        except UnreadablePostError:
            raise ParseError("The body ended before its length was reached.") from None
        if not isinstance(file, UploadedFile):
            raise ValidationError({field: [_("No file was sent.")]}, code="required")
        if (file.size or 0) > self.max_upload_bytes:
            raise self._too_large()
        return file

    def _too_large(self) -> PayloadTooLarge:
        megabytes = self.max_upload_bytes // 1024**2
        return PayloadTooLarge(f"The file is too large: at most {megabytes} MB.")
