-- Of a window's versions the newest are kept, so that one message edited every few minutes does not fill tables: sinks
-- delete what is older, in the transaction that writes a newer one.
GRANT DELETE ON digests, blocked_digests, deliveries TO gistmill_app;
