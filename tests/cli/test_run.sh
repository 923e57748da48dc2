# test_run.sh: -e, -f and standard input: what is printed, and where.
. "$CHECK"

create="CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON',
        PARTITIONS=1);"

case_begins 'the quick start works as the README has it'
run 0 -e "CREATE STREAM clicks (page STRING KEY, ms INT)
            WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=1);
          CREATE TABLE slow AS SELECT page, COUNT(*) AS n FROM clicks WHERE ms > 500 GROUP BY page;
          INSERT INTO clicks VALUES ('/home', 700);
          SELECT * FROM slow WHERE page = '/home';"
has out 'Created query with ID CTAS_SLOW_0'
has out '|/home                                  |1                                      |'
has out 'Query Completed'
is err </dev/null

case_begins 'messages and tables are aligned'
run 0 -e "$create SHOW STREAMS"
is out <<'END'

 Message        
----------------
 Stream created 
----------------

 Stream Name | Kafka Topic | Key Format | Value Format | Windowed 
------------------------------------------------------------------
 S           | t           | KAFKA      | JSON         | false    
------------------------------------------------------------------
END

case_begins 'nothing to run is no error'
run 0 -e ''
is out </dev/null
run 0 -e '-- a comment'
is out </dev/null
run 0 </dev/null
is out </dev/null

case_begins 'the last semicolon of -e may be missing, behind a comment too'
run 0 -e 'SHOW STREAMS'
run 0 -e 'SHOW STREAMS -- and more'
has out 'Stream Name'
run 0 -e "SHOW STREAMS;
   "

case_begins 'statements come from standard input'
run 0 <<<"$create SHOW STREAMS;"
has out ' S           | t '

case_begins 'files run in order on one engine'
echo "$create" >one.sql
echo "INSERT INTO s VALUES ('a', 1); SET 'auto.offset.reset'='earliest'; SELECT * FROM s EMIT CHANGES;" >two.sql
run 0 --output json -f one.sql -f two.sql
has out '{"row":{"columns":["a",1]}}'

case_begins 'RUN SCRIPT runs a file where it stands, as a text of its own'
echo "INSERT INTO s VALUES ('a', 1);" >rows.sql
run 0 --output json -e "$create DEFINE f = 'rows'; RUN SCRIPT '\${f}.sql'; run script 'rows.sql';
  SELECT v FROM s;"
[ "$(grep -c '"columns":\[1\]' out)" -eq 2 ] || fail 'not two rows'
echo "RUN SCRIPT 'rows.sql'; SELECT v, w FROM s;" >outer.sql
run 1 --output json -e "$create RUN SCRIPT 'outer.sql'; SELECT 1 FROM s;"
has err 'outer.sql:1:34: '
echo "RUN SCRIPT 'itself.sql';" >itself.sql
run 1 -f itself.sql
has err 'itself.sql:1:1: Files run files 16 deep: does itself.sql run itself?'
run 255 -e "SHOW STREAMS; /* ö */
  /* ö */ RUN SCRIPT 'nowhere.sql';"
has err '-e:2:11: nowhere.sql cannot be opened'
run 1 -e "SHOW STREAMS; /* ö */ RUN SCRIPT 'rows.sql'; SHOW STREAMS;"
has err 'rows.sql:1:13: There is no stream'

case_begins 'variables come from the command line and from DEFINE'
run 0 -d name=s -d "text='x'" -e "$create DEFINE n = '7'; INSERT INTO \${name} VALUES (\${text}, \${n});
  SELECT * FROM \${name}; SHOW VARIABLES;"
has out '|x                                      |7                                      |'
has out ' NAME          | s     '
run 1 -e 'DESCRIBE ${x}'
has err '-e:1:10: The variable ${x} is not defined (ERR_VARIABLE)'

case_begins 'a file that is not there is a usage error'
run 255 -f nowhere.sql
has err 'nowhere.sql cannot be opened'

case_begins 'a rejected statement ends all: later files do not run'
echo 'SHOW NONSENSE;' >bad.sql
run 1 -f one.sql -f bad.sql -f two.sql
has err 'bad.sql:1:6: '
lacks out row

case_begins 'nothing of a text runs when one of its statements is wrong'
run 1 -e "$create SELECT nothing FROM s EMIT CHANGES;"
is out </dev/null
has err ERR_UNKNOWN_COLUMN

case_begins 'JSON: one document per result'
run 0 --output json -e "$create INSERT INTO s VALUES ('a', 1); INSERT INTO s (k) VALUES ('b');
    SET 'auto.offset.reset'='earliest'; SELECT * FROM s EMIT CHANGES LIMIT 2; SHOW STREAMS;
    DROP STREAM IF EXISTS nothing;"
sed -i 's/"queryId":"[^"]*"/"queryId":"?"/; s/"statementText":"[^"]*"/"statementText":"?"/' out
is out <<'END'
{"@type":"currentStatus","statementText":"?","commandStatus":{"status":"SUCCESS","message":"Stream created"}}
{"@type":"currentStatus","statementText":"?","commandStatus":{"status":"SUCCESS","message":"Property 'auto.offset.reset' set to 'earliest'"}}
{"header":{"queryId":"?","schema":"`K` STRING, `V` INTEGER"}}
{"row":{"columns":["a",1]}}
{"row":{"columns":["b",null]}}
{"finalMessage":"Limit Reached"}
{"@type":"streams","statementText":"?","rows":[{"Stream Name":"S","Kafka Topic":"t","Key Format":"KAFKA","Value Format":"JSON","Windowed":"false"}]}
{"@type":"warning_entity","statementText":"?","message":"Source `NOTHING` does not exist."}
END

case_begins 'lines of a cell stay in its column, and data does not move the cursor'
run 0 --set auto.offset.reset=earliest -e "
    CREATE STREAM raw (v BYTES) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='KAFKA', PARTITIONS=1);
    CREATE STREAM s (v STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='KAFKA');
    INSERT INTO raw VALUES ('G1sySgl4');
    INSERT INTO s VALUES ('one
two
');
    SELECT v, 1 AS n FROM s EMIT CHANGES;"
has out '| [2J x                                 |1                                      |'
has out '|one                                    |1                                      |'
has out '|two                                    |                                       |'

case_begins 'rows: null, quotes, many bytes per character; long cells are folded'
run 0 -e "$create INSERT INTO s VALUES ('größer \"als\"', NULL); SET 'auto.offset.reset'='earliest';
    SELECT * FROM s EMIT CHANGES;"
has out '|größer "als"                           |null                                   |'
COLUMNS=20 run 0 -e "$create INSERT INTO s VALUES ('äöüäöüäöüäöü', 1); SET 'auto.offset.reset'='earliest';
    SELECT * FROM s EMIT CHANGES;"
has out '|äöüäöüäö |1        |
|üäöü     |         |'

case_begins 'a push query starts at the end unless told otherwise'
run 0 -e "$create INSERT INTO s VALUES ('a', 1); SELECT * FROM s EMIT CHANGES;"
lacks out '|a'
has out 'End of the log reached'

case_begins 'LIMIT ends a push query, LIMIT 0 at once'
run 0 -e "$create INSERT INTO s VALUES ('a', 1); INSERT INTO s VALUES ('b', 2);
    SET 'auto.offset.reset'='earliest'; SELECT * FROM s EMIT CHANGES LIMIT 1;"
has out '|a '
lacks out '|b '
has out 'Limit Reached
Query terminated'
run 0 -e "$create SELECT * FROM s EMIT CHANGES LIMIT 0;"
has out 'Limit Reached'

case_begins 'the row limit of the command line ends every query'
run 0 --query-row-limit 1 -e "$create INSERT INTO s VALUES ('a', 1); INSERT INTO s VALUES ('b', 2);
    SET 'auto.offset.reset'='earliest'; SELECT * FROM s EMIT CHANGES;"
has out '|a '
lacks out '|b '

case_begins 'all queries are through before the program ends, and tell what they skipped'
run 0 -e "CREATE STREAM raw (v STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='KAFKA', PARTITIONS=1);
    CREATE STREAM j (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
    CREATE STREAM o AS SELECT v FROM j;
    INSERT INTO raw VALUES ('{\"V\":');"
has err 'WARNING: CSAS_O_0 skipped'
has err 't-0@0'

report_and_exit
