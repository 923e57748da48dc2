# test_inserts.sh: rows that a client sends in one long request.
. "$SERVER_BASH"

# post_rows PATH FILE: the file as a sized body; the answer in ./answer.
post_rows() {
    exec 7<>"/dev/tcp/127.0.0.1/$port"
    { printf 'POST %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %s\r\n\r\n' \
        "$1" "$(wc -c <"$2")"; cat "$2"; } >&7
    cat <&7 >answer
    exec 7>&-
}

case_begins 'a thousand rows go in by one request, and come out of a query'
serve
request POST /ksql "{\"ksql\":\"CREATE STREAM s (id STRING KEY, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=2, VALUE_FORMAT='JSON'); CREATE TABLE n AS SELECT id, COUNT(*) AS c FROM s GROUP BY id;\"}"
has answer '"message":"Created query with ID CTAS_N_0"'
{ printf '{"target":"S"}\n'; for ((i = 0; i < 1000; i++)); do printf '{"id":"k","v":%d}\n' "$i"; done; } >rows
post_rows /inserts-stream rows
has answer '{"status":"ok","seq":0}'
has answer '{"status":"ok","seq":999}'
lacks answer 'InsertError'
exec 8<>"/dev/tcp/127.0.0.1/$port"
body='{"ksql":"SELECT * FROM n EMIT CHANGES;","streamsProperties":{"auto.offset.reset":"earliest"}}'
printf 'POST /query HTTP/1.1\r\nContent-Length: %s\r\n\r\n%s' "${#body}" "$body" >&8
while read -r -t 20 line <&8 && [[ "$line" != *'"columns":["k",1000]'* ]]; do :; done
[[ "$line" == *'"columns":["k",1000]'* ]] || fail 'the count of 1000 did not come'
exec 8>&-

case_begins 'a row that does not fit is told by its number'
printf '{"target":"s"}\n{"id":"a","v":1}\n{"id":"a","v":"1"}\n' >rows
post_rows /inserts-stream rows
has answer '{"status":"ok","seq":0}'
has answer '"@type":"InsertError","error_code":40000,"message":"Column V: '
has answer '"status":"error","seq":1}'
stop TERM 0

case_begins 'inserts may be switched off'
serve --set ksql.insert.into.values.enabled=false
printf '{"target":"s"}\n' >rows
post_rows /inserts-stream rows
has answer '400 Bad Request'
has answer '"error_code":40000,"message":"INSERT VALUES is switched off'
stop TERM 0

report_and_exit
