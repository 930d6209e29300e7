-- What each write costs and nobody reads.

-- Few documents are to come or to end.
DROP INDEX article_contents_from;
CREATE INDEX article_contents_scheduled ON article_contents (live_from) WHERE stage = 2;
DROP INDEX article_contents_until;
CREATE INDEX article_contents_until ON article_contents (stage, live_until) WHERE live_until IS NOT NULL;

-- The log of changes is read in its order, and the publications of an article are few.
DROP INDEX changes_entity;
DROP INDEX publications_from;

-- FTS5 merges sixteen pieces of its index at a time, not four, and only in an emergency all at once: an article is written
-- again less often.
INSERT INTO search_text (search_text, rank) VALUES ('automerge', 16);
INSERT INTO search_text (search_text, rank) VALUES ('crisismerge', 64);

-- The draft is the document that the last edit led to, so an edit keeps the one before it, and the making of an article
-- none.
CREATE TABLE new_edits (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_id BIGINT NOT NULL,
    changed TEXT NOT NULL,
    document_before TEXT,
    PRIMARY KEY (article_id, version)
);
INSERT INTO new_edits (article_id, version, at, actor_id, changed, document_before)
    SELECT e.article_id, e.version, e.at, e.actor_id, e.changed, b.document
    FROM article_edits AS e
    LEFT JOIN article_edits AS b ON b.article_id = e.article_id AND b.version = e.version - 1
    WHERE e.version > 1;
DROP TABLE article_edits;
ALTER TABLE new_edits RENAME TO article_edits;

-- Small rows that are found by their key stand in its index: one page to read and to write, not two.
CREATE TABLE new_slugs (
    kind TEXT NOT NULL,
    slug TEXT NOT NULL,
    entity_id BIGINT NOT NULL,
    -- Readers have seen this name, so it is kept as a redirect when the thing is renamed.
    public BOOLEAN NOT NULL,
    visible_from BIGINT,
    PRIMARY KEY (kind, slug)
) WITHOUT ROWID;
INSERT INTO new_slugs (kind, slug, entity_id, public, visible_from)
    SELECT kind, slug, entity_id, public, visible_from FROM slugs ORDER BY kind, slug;
DROP TABLE slugs;
ALTER TABLE new_slugs RENAME TO slugs;
CREATE INDEX slugs_entity ON slugs (entity_id);

CREATE TABLE new_tags (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    position INTEGER NOT NULL,
    tag_id BIGINT NOT NULL REFERENCES tags (id),
    PRIMARY KEY (article_id, stage, tag_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO new_tags (article_id, stage, position, tag_id)
    SELECT article_id, stage, position, tag_id FROM content_tags ORDER BY article_id, stage, tag_id;
DROP TABLE content_tags;
ALTER TABLE new_tags RENAME TO content_tags;
CREATE INDEX content_tags_tag ON content_tags (tag_id);

CREATE TABLE new_sections (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    position INTEGER NOT NULL,
    section_id BIGINT NOT NULL REFERENCES sections (id),
    PRIMARY KEY (article_id, stage, section_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO new_sections (article_id, stage, position, section_id)
    SELECT article_id, stage, position, section_id FROM content_sections ORDER BY article_id, stage, section_id;
DROP TABLE content_sections;
ALTER TABLE new_sections RENAME TO content_sections;
CREATE INDEX content_sections_section ON content_sections (section_id);

CREATE TABLE new_bylines (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    position INTEGER NOT NULL,
    author_id BIGINT REFERENCES authors (id),
    name TEXT,
    role TEXT,
    PRIMARY KEY (article_id, stage, position),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO new_bylines (article_id, stage, position, author_id, name, role)
    SELECT article_id, stage, position, author_id, name, role FROM content_bylines ORDER BY article_id, stage, position;
DROP TABLE content_bylines;
ALTER TABLE new_bylines RENAME TO content_bylines;
CREATE INDEX content_bylines_author ON content_bylines (author_id);

-- With what refers to it, which would be emptied with it. What was seen at an instant is listed for the site (kind 0) and
-- for sections (kind 1).
CREATE TABLE new_publications (
    article_id BIGINT NOT NULL,
    revision INTEGER NOT NULL,
    live_from BIGINT NOT NULL,
    live_until BIGINT,
    PRIMARY KEY (article_id, revision),
    FOREIGN KEY (article_id, revision) REFERENCES revisions (article_id, number) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO new_publications (article_id, revision, live_from, live_until)
    SELECT article_id, revision, live_from, live_until FROM publications ORDER BY article_id, revision;
CREATE TABLE new_facets (
    kind SMALLINT NOT NULL,
    facet_id BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    article_id BIGINT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (kind, facet_id, published_at, article_id, revision),
    FOREIGN KEY (article_id, revision) REFERENCES new_publications (article_id, revision) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO new_facets (kind, facet_id, published_at, article_id, revision)
    SELECT kind, facet_id, published_at, article_id, revision FROM publication_facets
    WHERE kind IN (0, 1)
    ORDER BY kind, facet_id, published_at, article_id, revision;
DROP TABLE publication_facets;
DROP TABLE publications;
ALTER TABLE new_publications RENAME TO publications;
ALTER TABLE new_facets RENAME TO publication_facets;
CREATE INDEX publication_facets_article ON publication_facets (article_id, revision);

-- Almost everything was done; what was refused or failed is looked for.
DROP INDEX audit_events_outcome;
CREATE INDEX audit_events_outcome ON audit_events (outcome, id) WHERE outcome <> 'done';
