#!/bin/sh
# deploy/nginx with what Compose's machine decides, into .compose/nginx: its lines that end in
# "# site", and a certificate that this machine signs for itself.
set -eu
cd -- "$(dirname -- "$0")/.."
site=.compose/nginx
rm -rf "$site"
mkdir -p "$site/tls"
cp deploy/nginx/*.conf "$site"
rm "$site/brotli.conf" # a module that the image does not have
cp deploy/compose/nginx/media.conf "$site"

for file in "$site"/*.conf; do
    sed \
    -e '/# site$/{' \
    -e '/^user /d' -e '/modules-enabled/d' -e '/\[::\]:/d' \
    -e 's|^pid .*;|pid /tmp/nginx.pid;|' \
    -e 's|/var/log/nginx/error.log|/dev/stderr|' -e 's|/var/log/nginx/access.log|/dev/stdout|' \
    -e 's|/var/lib/nginx/|/tmp/|' \
    -e 's|listen 80\b|listen 8080|' -e 's|listen 443\b|listen 8443|' \
    -e 's|server 127.0.0.1:8000 |server web:8000 |' -e '/127.0.0.1:8010/d' \
    -e 's|server 127.0.0.1:8001 |server asgi:8001 |' \
    -e 's|/etc/nginx/tls/|/etc/nginx/site/tls/|' \
    -e '}' "$file" >"$file.new"
    mv "$file.new" "$file"
done
echo 'include media.conf;' >>"$site/identity.conf"

tls=.compose/tls
if [ ! -e "$tls/privkey.pem" ]; then
    mkdir -p "$tls"
    . deploy/identity.env
    openssl req -x509 -newkey rsa:2048 -nodes -days 825 -subj "/CN=$DOMAIN_NAME" \
        -addext "subjectAltName=DNS:$DOMAIN_NAME,DNS:*.$DOMAIN_NAME" \
        -keyout "$tls/privkey.pem" -out "$tls/fullchain.pem" 2>/dev/null
fi
cp "$tls"/*.pem "$site/tls"
chmod -R a+rX "$site"
