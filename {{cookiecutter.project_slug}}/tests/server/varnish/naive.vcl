vcl 4.1;
# What tutorials show, kept to prove what it does: cookies dropped, everything kept for 20 s.
backend default { .host = "127.0.0.1"; .port = "8000"; }
sub vcl_recv { unset req.http.Cookie; return (hash); }
sub vcl_backend_response { set beresp.ttl = 20s; set beresp.grace = 0s; return (deliver); }
