"""`Idempotency-Key`: a request that is sent again has one effect, and one answer.

    class InvoiceList(generics.ListAPIView[Invoice]):
        @idempotent
        def post(self, request: Request) -> Response: ...

A client that lost the answer cannot know whether its request was lost as well; with a key it may
just send it again. To lift it out: this folder, and its line in INSTALLED_APPS and in the schedule.

Weighed: drf-idempotency-key and django-idempotency-key keep answers in a cache or a table of their
own, beside the effect's transaction: a worker that dies between the two repeats the effect.
"""
