-- A body is kept once: the draft, what readers see or will see and the revisions that have the same one share it. It is
-- named by the version of the draft with which it was written; those that are older than this table, and are not those of
-- drafts, have numbers below zero.
CREATE TABLE new_bodies (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (article_id, version)
);
INSERT INTO new_bodies (article_id, version, body)
    SELECT c.article_id, c.version, b.body
    FROM article_contents AS c
    JOIN article_bodies AS b ON b.article_id = c.article_id AND b.stage = c.stage
    WHERE c.stage = 0
    ORDER BY c.article_id;
INSERT INTO new_bodies (article_id, version, body)
    SELECT b.article_id, -b.stage, b.body FROM article_bodies AS b
    WHERE b.stage = 1
    AND NOT EXISTS (SELECT 1 FROM new_bodies AS n WHERE n.article_id = b.article_id AND n.body = b.body);
INSERT INTO new_bodies (article_id, version, body)
    SELECT b.article_id, -b.stage, b.body FROM article_bodies AS b
    WHERE b.stage = 2
    AND NOT EXISTS (SELECT 1 FROM new_bodies AS n WHERE n.article_id = b.article_id AND n.body = b.body);
INSERT INTO new_bodies (article_id, version, body)
    SELECT r.article_id, max(-r.number - 2), coalesce(r.snapshot ->> '$.body', '[]') FROM revisions AS r
    WHERE NOT EXISTS (
        SELECT 1 FROM new_bodies AS n
        WHERE n.article_id = r.article_id AND n.body = coalesce(r.snapshot ->> '$.body', '[]')
    )
    GROUP BY 1, 3;

ALTER TABLE article_contents ADD COLUMN body_version BIGINT NOT NULL DEFAULT 0;
UPDATE article_contents SET body_version = (
    SELECT max(n.version) FROM new_bodies AS n
    JOIN article_bodies AS b ON b.article_id = n.article_id AND b.body = n.body
    WHERE b.article_id = article_contents.article_id AND b.stage = article_contents.stage
);
ALTER TABLE revisions ADD COLUMN body_version BIGINT NOT NULL DEFAULT 0;
UPDATE revisions SET
    body_version = (
        SELECT max(n.version) FROM new_bodies AS n
        WHERE n.article_id = revisions.article_id AND n.body = coalesce(revisions.snapshot ->> '$.body', '[]')
    ),
    snapshot = json_remove(snapshot, '$.body');
DROP TABLE article_bodies;
ALTER TABLE new_bodies RENAME TO article_bodies;
