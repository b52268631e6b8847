vcl 4.1;

# The edge cache, for Varnish 7 (Debian 12: 7.1, Debian 13: 7.7). docs/operations/edge.md.
# The application decides what is shared (Cache-Control: public, core/caching); nothing else is kept.

import std;

backend default {
    .host = "127.0.0.1";
    .port = "8000";
    .max_connections = 200;         # what one machine's processes can queue; the rest fails at once
    .connect_timeout = 2s;
    .first_byte_timeout = 35s;      # above gunicorn's 30 s: it is the one that ends a request
    .between_bytes_timeout = 35s;
    .probe = {
        .url = "/__lbheartbeat__";  # a worker's own answer: without database, pages still are asked for
        .interval = 5s;
        .timeout = 1s;
        .window = 5;
        .threshold = 3;
        .initial = 3;               # a restarted edge sends requests on before its first probe
    }
}

# Who may purge, by the address of the connection; the token is asked for as well.
acl purgers {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.restarts == 0) {
        # Ours alone: a client must not set what the rules below go by.
        unset req.http.Edge-Retry;
        if (!req.http.X-Request-ID) {
            set req.http.X-Request-ID = req.xid;
        }
    }
    # One answer for links that differ by the campaign they came from.
    if (req.url ~ "[?&](utm_[a-z]+|fbclid|gclid|msclkid)=") {
        set req.url = regsuball(req.url, "(utm_[a-z]+|fbclid|gclid|msclkid)=[^&]*&?", "");
        set req.url = regsub(req.url, "[?&]+$", "");
    }
    set req.url = std.querysort(req.url);

    if (req.method == "PURGE") {
        # A proxy on this machine has an address of the list; what it forwards bears this header.
        # Varnish appends the peer itself, so one address alone is a caller without a proxy.
        if (client.ip !~ purgers || req.http.X-Forwarded-For ~ ",") {
            return (synth(403, "Forbidden"));
        }
        # Read once per load of this file. Missing or empty refuses everybody.
        set req.http.Edge-Expected = regsub(std.fileread("/etc/varnish/purge-token"), "\s+$", "");
        if (req.http.Edge-Expected == "" || req.http.Edge-Token != req.http.Edge-Expected) {
            return (synth(403, "Forbidden"));
        }
        if (!req.http.Edge-Purge-Tags) {
            return (purge);
        }
        # The characters of core/edge: none of them means anything to a regular expression.
        if (req.http.Edge-Purge-Tags !~ "^[a-z0-9:_-]+(,[a-z0-9:_-]+)*$") {
            return (synth(400, "Bad tags"));
        }
        # obj alone: the ban lurker can then remove what nobody asks for.
        if (std.ban("obj.http.Edge-Tags ~ ,(" +
                regsuball(req.http.Edge-Purge-Tags, ",", "|") + "),")) {
            return (synth(200, "Purged"));
        }
        return (synth(500, "Ban failed"));
    }
    if ((req.method != "GET" && req.method != "HEAD") || req.http.Authorization) {
        return (pass);
    }
    if (req.url ~ "^/static/") {
        unset req.http.Cookie;
    }
    # Cookies go on to the application and are no part of the key: it says public only of an
    # answer for which it did not look at the session.
    return (hash);
}

sub vcl_hash {
    # http is redirected to https, which must not be the answer to https.
    hash_data(req.http.X-Forwarded-Proto);
}

sub vcl_hit {
    # Kept for a dead application, but past what the response allows while it lives: ask first.
    if (obj.ttl < 0s && !req.http.Edge-Retry && std.healthy(req.backend_hint)
            && obj.ttl + std.duration(obj.http.Edge-Stale, 0s) < 0s) {
        set req.http.Edge-Retry = "fresh";
        set req.grace = 0s;
        return (restart);
    }
}

sub vcl_backend_fetch {
    unset bereq.http.Edge-Token;
}

sub vcl_backend_response {
    if (beresp.status >= 500) {
        # A refresh must not replace the copy that still serves.
        if (bereq.is_bgfetch || bereq.http.Edge-Retry == "fresh") {
            return (abandon);
        }
        set beresp.uncacheable = true;
        set beresp.ttl = 0s;
        set beresp.grace = 0s;
        set beresp.keep = 0s;
        return (deliver);
    }
    if (bereq.uncacheable) {
        return (deliver);
    }
    if (beresp.http.Set-Cookie
            || beresp.http.Cache-Control !~ "(?i)(^|[ ,])public($|[ ,])"
            || beresp.http.Cache-Control ~ "(?i)private|no-store|no-cache"
            || beresp.http.Vary ~ "(?i)cookie|authorization|\*"
            || beresp.ttl <= 0s) {
        # Hit-for-miss: nobody waits in line for it, and the first that may be shared is kept.
        set beresp.uncacheable = true;
        set beresp.ttl = 120s;
        set beresp.grace = 0s;
        return (deliver);
    }
    set beresp.http.Edge-Stale = beresp.grace + "s";  # a duration is a number without its unit
    if (beresp.http.Cache-Control !~ "stale-while-revalidate") {
        set beresp.http.Edge-Stale = "0s";
    }
    set beresp.grace = 6h;  # while the application is away
    if (beresp.http.Cache-Control ~ "stale-if-error=[0-9]+") {
        set beresp.grace = std.duration(regsub(beresp.http.Cache-Control,
            "^.*stale-if-error=([0-9]+).*$", "\1s"), 6h);
    }
    set beresp.keep = 1h;   # for a 304 instead of a body
    return (deliver);
}

sub vcl_backend_error {
    # The client's side writes the page, or finds a copy.
    return (abandon);
}

sub vcl_deliver {
    if (obj.uncacheable) {
        set resp.http.X-Cache = "pass";
    } elsif (obj.hits > 0) {
        set resp.http.X-Cache = "hit";
    } else {
        set resp.http.X-Cache = "miss";
    }
    unset resp.http.Edge-Tags;
    unset resp.http.Edge-Stale;
    unset resp.http.X-Varnish;
    unset resp.http.Via;
}

sub vcl_synth {
    # The application failed or is gone: then the copy, past its age.
    if (resp.status == 503 && req.http.Edge-Retry == "fresh") {
        set req.http.Edge-Retry = "stale";
        set req.grace = 6h;
        return (restart);
    }
    set resp.http.X-Request-ID = req.http.X-Request-ID;
    set resp.http.Cache-Control = "no-store";
    set resp.http.X-Cache = "synth";
    if (resp.status == 503) {
        set resp.http.Retry-After = "10";
        set resp.reason = "Service Unavailable";
    }
    if (req.url ~ "^/api/" || req.method == "PURGE") {
        set resp.http.Content-Type = "application/problem+json";
        synthetic({"{"type":"about:blank","title":""} + resp.reason + {"","status":"}
            + resp.status + {"}"});
        return (deliver);
    }
    set resp.http.Content-Type = "text/html; charset=utf-8";
    synthetic({"<!doctype html><html lang="en"><meta charset="utf-8"><title>"} + resp.reason
        + {"</title><style>body{font:18px/1.5 system-ui;max-width:36rem;margin:20vh auto;padding:0 1rem}</style>
<h1>"} + resp.reason + {"</h1><p>Please try again in a few seconds.</p></html>"});
    return (deliver);
}
