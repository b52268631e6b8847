"""Who may keep an answer, and how a client asks whether its copy is still good.

To lift it out: copy this folder and put `CachingMiddleware` second in MIDDLEWARE.
"""
