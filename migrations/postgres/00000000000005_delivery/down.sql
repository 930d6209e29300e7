ALTER TABLE article_contents DROP COLUMN refs;
ALTER TABLE article_contents ADD COLUMN body TEXT NOT NULL DEFAULT '[]';
UPDATE article_contents AS c SET body = b.body
    FROM article_bodies AS b WHERE b.article_id = c.article_id AND b.stage = c.stage;
DROP TABLE article_bodies;
