-- Entries of a thread are found by their article only.
ALTER TABLE article_notes DROP CONSTRAINT article_notes_pkey;
ALTER TABLE article_notes ADD PRIMARY KEY (article_id, id);
DROP INDEX article_notes_article;
