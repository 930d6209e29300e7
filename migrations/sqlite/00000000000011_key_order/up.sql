-- The columns of a key come first: `PRAGMA integrity_check` of SQLite 3.40 takes others between them for empty ones.
CREATE TABLE new_tags (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    tag_id BIGINT NOT NULL REFERENCES tags (id),
    position INTEGER NOT NULL,
    PRIMARY KEY (article_id, stage, tag_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO new_tags (article_id, stage, tag_id, position)
    SELECT article_id, stage, tag_id, position FROM content_tags ORDER BY article_id, stage, tag_id;
DROP TABLE content_tags;
ALTER TABLE new_tags RENAME TO content_tags;
CREATE INDEX content_tags_tag ON content_tags (tag_id);

CREATE TABLE new_sections (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    section_id BIGINT NOT NULL REFERENCES sections (id),
    position INTEGER NOT NULL,
    PRIMARY KEY (article_id, stage, section_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO new_sections (article_id, stage, section_id, position)
    SELECT article_id, stage, section_id, position FROM content_sections ORDER BY article_id, stage, section_id;
DROP TABLE content_sections;
ALTER TABLE new_sections RENAME TO content_sections;
CREATE INDEX content_sections_section ON content_sections (section_id);
