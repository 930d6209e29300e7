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
UPDATE article_contents SET refs = json_object(
    'sections', json((SELECT json_group_array(section_id) FROM (
        SELECT section_id FROM content_sections AS s
        WHERE s.article_id = article_contents.article_id AND s.stage = article_contents.stage ORDER BY s.position))),
    'tags', json((SELECT json_group_array(tag_id) FROM (
        SELECT tag_id FROM content_tags AS t
        WHERE t.article_id = article_contents.article_id AND t.stage = article_contents.stage ORDER BY t.position))),
    'bylines', json((SELECT json_group_array(json_object('author', author_id, 'name', name, 'role', role)) FROM (
        SELECT author_id, name, role FROM content_bylines AS b
        WHERE b.article_id = article_contents.article_id AND b.stage = article_contents.stage ORDER BY b.position)))
);
