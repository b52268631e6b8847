"""Pictures that strangers send: looked at in the request, decoded where it can do no harm."""
