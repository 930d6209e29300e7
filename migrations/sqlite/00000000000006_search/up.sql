-- Full-text search. What is indexed comes folded from the program; see domain/search.

-- One row for each document that is indexed. doc is its place in the index: from the oldest to the newest by the date of
-- lists, drafts before what is or will be public (store/search).
CREATE TABLE search_documents (
    doc INTEGER NOT NULL PRIMARY KEY,
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    listed_at BIGINT NOT NULL,
    -- Words of the headline, and of kicker and standfirst, for the ranking.
    headline TEXT NOT NULL,
    lead TEXT NOT NULL,
    UNIQUE (article_id, stage),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);

-- The rowid is search_documents.doc. The tokenizer only splits at spaces: the words are folded already. The text itself
-- is not kept.
CREATE VIRTUAL TABLE search_text USING fts5(
    headline, lead, body,
    content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '2 3'
);
CREATE TRIGGER search_documents_deleted AFTER DELETE ON search_documents BEGIN
    DELETE FROM search_text WHERE rowid = old.doc;
END;

-- One row, id 1: the last article that the index has been built for; none until the first run.
CREATE TABLE search_progress (
    id INTEGER NOT NULL PRIMARY KEY,
    built_through BIGINT NOT NULL
);
