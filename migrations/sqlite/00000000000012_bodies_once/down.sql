CREATE TABLE old_bodies (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (article_id, stage),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);
INSERT INTO old_bodies (article_id, stage, body)
    SELECT c.article_id, c.stage, b.body
    FROM article_contents AS c
    JOIN article_bodies AS b ON b.article_id = c.article_id AND b.version = c.body_version
    ORDER BY c.article_id, c.stage;
UPDATE revisions SET snapshot = json_set(snapshot, '$.body', (
    SELECT b.body FROM article_bodies AS b
    WHERE b.article_id = revisions.article_id AND b.version = revisions.body_version
));
ALTER TABLE revisions DROP COLUMN body_version;
ALTER TABLE article_contents DROP COLUMN body_version;
DROP TABLE article_bodies;
ALTER TABLE old_bodies RENAME TO article_bodies;
