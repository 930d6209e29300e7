ALTER TABLE article_contents DROP COLUMN refs;
ALTER TABLE article_contents ADD COLUMN body TEXT NOT NULL DEFAULT '[]';
UPDATE article_contents SET body = (
    SELECT b.body FROM article_bodies AS b
    WHERE b.article_id = article_contents.article_id AND b.stage = article_contents.stage);
DROP TABLE article_bodies;
