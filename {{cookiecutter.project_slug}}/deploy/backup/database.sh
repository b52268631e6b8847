# shellcheck shell=sh
# Sourced by dump.sh and verify.sh: how a URL reaches libpq without its password on a command line,
# which every user of the machine can read.

# connect_to URL: sets `url`, without the password, and exports PGPASSWORD.
connect_to() {
    url=$1
    unset PGPASSWORD
    credentials=${url#*://}
    authority=${credentials%%/*}
    case $authority in
    *:*@*)
        userinfo=${authority%@*}
        PGPASSWORD=$(percent_decoded "${userinfo#*:}")
        export PGPASSWORD
        url=${url%%://*}://${userinfo%%:*}@${credentials#"$userinfo@"}
        ;;
    esac
}

# %41 is A; libpq decodes a URL's password itself, and PGPASSWORD's never.
percent_decoded() {
    printf '%s' "$1" | LC_ALL=C awk '{
        digits = "0123456789abcdef"
        text = $0
        while (match(text, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
            code = tolower(substr(text, RSTART + 1, 2))
            byte = (index(digits, substr(code, 1, 1)) - 1) * 16 + index(digits, substr(code, 2, 1)) - 1
            printf "%s%c", substr(text, 1, RSTART - 1), byte
            text = substr(text, RSTART + 3)
        }
        printf "%s", text
    }'
}

# write_metrics FILE: standard input as node_exporter's textfile collector reads it, whole or not
# at all.
write_metrics() {
    [ -n "$1" ] || return 0
    cat >"$1.partial"
    chmod 644 "$1.partial" # the exporter is another user
    mv -f -- "$1.partial" "$1"
}
