DROP INDEX article_contents_headline;
ALTER TABLE article_contents DROP COLUMN headline_key;
CREATE INDEX article_contents_headline ON article_contents (stage, headline, article_id);
