-- Full-text search. What is indexed comes folded from the program; see domain/search.

-- One row for each document that is indexed. doc is its place in the index: from the oldest to the newest by the date of
-- lists, drafts before what is or will be public (store/search).
CREATE TABLE search_documents (
    doc BIGINT NOT NULL PRIMARY KEY,
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    listed_at BIGINT NOT NULL,
    -- Words of the headline, and of kicker and standfirst, for the ranking.
    headline TEXT NOT NULL,
    lead TEXT NOT NULL,
    UNIQUE (article_id, stage),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);

-- Weight A is the headline, B kicker and standfirst, C the body.
CREATE TABLE search_text (
    doc BIGINT NOT NULL PRIMARY KEY REFERENCES search_documents (doc) ON DELETE CASCADE,
    terms TSVECTOR NOT NULL
);
-- Readers are many and writers few: nothing is left on a list that every search would have to go through.
CREATE INDEX search_text_terms ON search_text USING gin (terms) WITH (fastupdate = off);

-- Tells documents of the same second apart.
CREATE SEQUENCE search_places;

-- One row, id 1: the last article that the index has been built for; none until the first run.
CREATE TABLE search_progress (
    id BIGINT NOT NULL PRIMARY KEY,
    built_through BIGINT NOT NULL
);
