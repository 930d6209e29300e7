-- Lists read only what they show. The text is kept apart, so that a row of the document fits beside others in a page of
-- the file, and a row names what it refers to, so that a page of a list is one statement: the cards of sections, tags
-- and authors are few and kept in the process.

CREATE TABLE article_bodies (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (article_id, stage),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);
INSERT INTO article_bodies (article_id, stage, body) SELECT article_id, stage, body FROM article_contents;
ALTER TABLE article_contents DROP COLUMN body;

-- The ids in content_sections, content_tags and content_bylines in their order, as JSON.
ALTER TABLE article_contents ADD COLUMN refs TEXT NOT NULL DEFAULT '{}';
UPDATE article_contents AS c SET refs = json_build_object(
    'sections', COALESCE((SELECT json_agg(s.section_id ORDER BY s.position) FROM content_sections AS s
        WHERE s.article_id = c.article_id AND s.stage = c.stage), '[]'),
    'tags', COALESCE((SELECT json_agg(t.tag_id ORDER BY t.position) FROM content_tags AS t
        WHERE t.article_id = c.article_id AND t.stage = c.stage), '[]'),
    'bylines', COALESCE((SELECT json_agg(
            json_build_object('author', b.author_id, 'name', b.name, 'role', b.role) ORDER BY b.position)
        FROM content_bylines AS b WHERE b.article_id = c.article_id AND b.stage = c.stage), '[]')
)::text;
