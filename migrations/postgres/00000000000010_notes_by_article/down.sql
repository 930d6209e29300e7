CREATE INDEX article_notes_article ON article_notes (article_id, id);
ALTER TABLE article_notes DROP CONSTRAINT article_notes_pkey;
ALTER TABLE article_notes ADD PRIMARY KEY (id);
