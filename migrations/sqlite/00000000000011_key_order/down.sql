CREATE TABLE old_tags (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    position INTEGER NOT NULL,
    tag_id BIGINT NOT NULL REFERENCES tags (id),
    PRIMARY KEY (article_id, stage, tag_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO old_tags (article_id, stage, position, tag_id)
    SELECT article_id, stage, position, tag_id FROM content_tags;
DROP TABLE content_tags;
ALTER TABLE old_tags RENAME TO content_tags;
CREATE INDEX content_tags_tag ON content_tags (tag_id);

CREATE TABLE old_sections (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    position INTEGER NOT NULL,
    section_id BIGINT NOT NULL REFERENCES sections (id),
    PRIMARY KEY (article_id, stage, section_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO old_sections (article_id, stage, position, section_id)
    SELECT article_id, stage, position, section_id FROM content_sections;
DROP TABLE content_sections;
ALTER TABLE old_sections RENAME TO content_sections;
CREATE INDEX content_sections_section ON content_sections (section_id);
