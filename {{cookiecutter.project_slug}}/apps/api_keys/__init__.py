"""Keys for programs that call the API, beside the sessions of people.

To lift it out: copy this folder, add the app, its URLs, and its class to REST_FRAMEWORK.
"""
