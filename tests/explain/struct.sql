--@test: fields are named after themselves, and numbered when the name is taken
CREATE STREAM S (ID INT KEY, A STRUCT<B INT, F_2 STRING>, B INT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, FORMAT='JSON');
CREATE STREAM O AS SELECT ID, B, A->B, A->F_2 FROM S;
CREATE STREAM FIELDS AS SELECT ID, A->* FROM S;
