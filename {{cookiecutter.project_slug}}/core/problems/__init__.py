"""Every error of the API in one shape, problem+json (RFC 9457), wherever it was raised.

To lift it out: copy this folder, name `core.problems.problems.exception_handler` in REST_FRAMEWORK,
the functions of `core.problems.handlers` in the root URLconf and in CSRF_FAILURE_VIEW.
"""
