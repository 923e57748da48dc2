#!/bin/sh
# check_homes.sh [ROOT]: each library is included only where tools/libraries.txt
# says; no library is unknown; library types stay out of our headers, those named
# *_internal.h and inside the library's home excepted.
set -eu
cd "${1:-.}"
here=$(cd "$(dirname "$0")" && pwd)
find base parser engine sinks cli -name '*.[chy]' -o -name '*.re' -o -name '*.def' 2>/dev/null |
    sort | xargs -r grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' /dev/null |
    awk -v table="$here/libraries.txt" -v system_table="$here/system_headers.txt" '
function refuse(why) {
    print file ":" number ": " why
    bad = 1
}
function library_of(header,    i) {
    for (i = 1; i <= count; i++) {
        if (header ~ ("^(" pattern[i] ")")) {
            return i
        }
    }
    return 0
}
function at_home(file, which,    home, n, i) {
    n = split(homes[which], home, " ")
    for (i = 1; i <= n; i++) {
        if (index(file, home[i]) == 1) {
            return 1
        }
    }
    return 0
}
BEGIN {
    while ((getline line < table) > 0) {
        if (line ~ /^#/ || line == "") {
            continue
        }
        n = split(line, column, / [|] /)
        count++
        name[count] = column[1]
        pattern[count] = column[2]
        homes[count] = column[5]
    }
    while ((getline line < system_table) > 0) {
        if (line !~ /^#/) {
            system_header[line] = 1
        }
    }
}
{
    split($0, part, ":")
    file = part[1]
    number = part[2]
    match($0, /<[^>]*>/)
    header = substr($0, RSTART + 1, RLENGTH - 2)
    if (header in system_header) {
        next
    }
    which = library_of(header)
    if (!which) {
        refuse("<" header "> is of no library in tools/libraries.txt")
    } else if (!at_home(file, which)) {
        refuse(name[which] " is at home in " homes[which] ", not here")
    } else if (file ~ /\.h$/ && file !~ /_internal\.h$/) {
        refuse("no library header in a header of ours (<" header ">)")
    }
}
END { exit bad }' || status=1

types='\b(rd_kafka_[a-z_]+_t|rocksdb_[a-z_]+_t|PG(conn|result)|json_t|CURLM?|avro_(schema|value|writer|reader)_t|pcre2_[a-z_]+|UCaseMap|UChar|UCalendar|SSL(_CTX)?|EVP_[A-Z_]+|uv_[a-z_]+_t|nghttp2_[a-z_]+|http_parser|wslay_[a-z_]+|EditLine)\b'
headers=$(find base parser engine sinks cli -name '*.h' ! -name '*_internal.h' 2>/dev/null | sort)
# shellcheck disable=SC2086 # a list of words
if [ -n "$headers" ] && awk -f "$here/code_lines.awk" $headers | grep -E "$types"; then
    echo "^ library types in headers of ours"
    status=1
fi
exit "${status:-0}"
