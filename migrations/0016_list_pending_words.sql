-- Words that came wait in the index's list and are sorted in together, a mebibyte at a time: an import writes them in a
-- quarter of the time. Each search reads what waits; the bound keeps that to milliseconds.
ALTER INDEX message_words_by_word SET (fastupdate = on, gin_pending_list_limit = 1024);
