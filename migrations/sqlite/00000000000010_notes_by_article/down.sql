CREATE TABLE old_notes (
    id INTEGER NOT NULL PRIMARY KEY,
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    author_id BIGINT NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    text TEXT,
    block_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO old_notes (id, article_id, author_id, kind, text, block_id, created_at, updated_at)
    SELECT id, article_id, author_id, kind, text, block_id, created_at, updated_at FROM article_notes;
DROP TABLE article_notes;
ALTER TABLE old_notes RENAME TO article_notes;
CREATE INDEX article_notes_article ON article_notes (article_id, id);
