-- Entries of a thread are found by their article only, so they stand in that index: one page to write, not two.
CREATE TABLE new_notes (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    id BIGINT NOT NULL,
    author_id BIGINT NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    text TEXT,
    block_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (article_id, id)
) WITHOUT ROWID;
INSERT INTO new_notes (article_id, id, author_id, kind, text, block_id, created_at, updated_at)
    SELECT article_id, id, author_id, kind, text, block_id, created_at, updated_at FROM article_notes
    ORDER BY article_id, id;
DROP TABLE article_notes;
ALTER TABLE new_notes RENAME TO article_notes;
