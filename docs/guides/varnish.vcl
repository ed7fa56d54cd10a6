# Varnish 7 in front of one or two hullcmafsink origins: one origin request per object, also while it grows.
vcl 4.1;

import directors;

backend first { .host = "127.0.0.1"; .port = "8080"; .first_byte_timeout = 15s; .between_bytes_timeout = 15s;
  .probe = { .url = "/time"; .interval = 1s; .timeout = 1s; .window = 3; .threshold = 2; } }

# A second encoder with epoch-lock=true names the same objects: take the marks off.
#second backend second { .host = "127.0.0.1"; .port = "8081"; .first_byte_timeout = 15s; .between_bytes_timeout = 15s;
#second   .probe = { .url = "/time"; .interval = 1s; .timeout = 1s; .window = 3; .threshold = 2; } }

sub vcl_init {
  new origins = directors.fallback();
  origins.add_backend(first);
#second   origins.add_backend(second);
}

sub vcl_recv {
  set req.backend_hint = origins.backend();
  if (req.method != "GET" && req.method != "HEAD") { return (pass); }
  if (req.url ~ "^/(time|metrics)$") { return (pass); }
  # Players add nothing to media URLs; whatever else stands behind '?' must not split the cache.
  if (req.url !~ "\.m3u8") { set req.url = regsub(req.url, "\?.*$", ""); }
  unset req.http.Cookie;
  return (hash);
}

sub vcl_backend_response {
  set beresp.do_stream = true;      # a growing object goes to all who wait for it, chunk by chunk
  set beresp.grace = 0s;
  unset beresp.http.Set-Cookie;
  if (beresp.status >= 400) {
    set beresp.ttl = 50ms;          # what is not there yet may be there with the next chunk
  } elsif (bereq.url ~ "\.(m4s|mp4)$") {
    set beresp.ttl = 120s;
  } elsif (bereq.url ~ "_HLS_msn=") {
    set beresp.ttl = 12s;           # a blocking reload's answer never changes
  } else {
    set beresp.ttl = 500ms;         # manifests
  }
  return (deliver);
}
