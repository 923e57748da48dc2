assert topic Abc with (partitions=1) timeout 3 seconds; assert not exists topic 'x';
assert schema subject abc id 3 timeout 1 minute; assert not exists schema id 4;
assert values s (a, rowtime) values (1, 2); assert null values s (a) key (1);
assert stream s (a int key) with (kafka_topic='x'); assert table t;
select * from x window session (5 minutes) where true;
select a from x window tumbling (size -5 day, grace period 1 hour);
select * from a inner join b on a.x=b.y right join c within 1 day on 1=1;
