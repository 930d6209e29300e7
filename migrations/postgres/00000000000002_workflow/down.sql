DROP TABLE release_items;
DROP TABLE releases;
DROP TABLE redirects;
DROP TABLE corrections;
DROP TABLE previews;
DROP TABLE article_locks;
DROP TABLE article_notes;
DROP TABLE publication_facets;
DROP TABLE publications;
DROP TABLE revisions;

DELETE FROM article_contents WHERE stage = 2;
ALTER TABLE content_facets RENAME TO new_facets;
ALTER INDEX content_facets_pkey RENAME TO new_facets_pkey;
DROP INDEX content_facets_article;
CREATE TABLE content_facets (
    stage SMALLINT NOT NULL,
    kind SMALLINT NOT NULL,
    facet_id BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    article_id BIGINT NOT NULL,
    PRIMARY KEY (stage, kind, facet_id, published_at, article_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);
INSERT INTO content_facets (stage, kind, facet_id, published_at, article_id)
    SELECT stage, kind, facet_id, published_at, article_id FROM new_facets;
DROP TABLE new_facets;
CREATE INDEX content_facets_article ON content_facets (article_id, stage);

DROP INDEX article_contents_from;
DROP INDEX article_contents_until;
ALTER TABLE article_contents DROP COLUMN planned_until;
ALTER TABLE article_contents DROP COLUMN revision;
ALTER TABLE article_edits DROP COLUMN document;
UPDATE articles SET state = 'draft' WHERE state IN ('in_review', 'scheduled');
UPDATE articles SET state = 'unpublished' WHERE state IN ('retracted', 'archived');
ALTER TABLE articles DROP COLUMN assignee_id;
ALTER TABLE articles DROP COLUMN retraction_reason;
ALTER TABLE articles DROP COLUMN release_id;
ALTER TABLE slugs DROP COLUMN visible_from;
ALTER TABLE site DROP COLUMN confirm_warnings;
