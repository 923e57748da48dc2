create stream s (id int key, `Name` varchar, d decimal(4,2), a array<int>, m map<string,double array>, st struct<a int, `b c` struct< >>, h array<struct<key string,value bytes>> headers) with (kafka_topic='t', value_format='json', partitions=1, wrap_single_value=true);
create or replace source table if not exists "t-1" (k varchar(10) primary key, h bytes header('x''y')) with (format='avro');
create stream s with (kafka_topic='a');
create stream s;
CREATE TABLE o WITH (partitions=3, kafka_topic='x') AS SELECT a.*, b.id AS x, count(*) c, s->*, b.s->f[1]->* FROM a a LEFT JOIN b AS c WITHIN (1 HOUR, 5 MINUTES) GRACE PERIOD 10 SECONDS ON a.id = c.id full outer join d on d.x=a.y WINDOW w HOPPING (SIZE 1 HOUR, ADVANCE BY 30 SECONDS, RETENTION 2 DAYS, GRACE PERIOD 0 MILLISECONDS) WHERE a.x > 3 GROUP BY a.id, b.id PARTITION BY z HAVING count(*) > 1 EMIT FINAL;
create stream if not exists x as select * from y partition by (a, b) emit changes limit 5;
