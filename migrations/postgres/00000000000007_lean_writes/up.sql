-- What each write costs and nobody reads.

-- Few documents are to come or to end.
DROP INDEX article_contents_from;
CREATE INDEX article_contents_scheduled ON article_contents (live_from) WHERE stage = 2;
DROP INDEX article_contents_until;
CREATE INDEX article_contents_until ON article_contents (stage, live_until) WHERE live_until IS NOT NULL;

-- The log of changes is read in its order, and the publications of an article are few.
DROP INDEX changes_entity;
DROP INDEX publications_from;

-- What was seen at an instant is listed for the site (kind 0) and for sections (kind 1).
DELETE FROM publication_facets WHERE kind NOT IN (0, 1);

-- The draft is the document that the last edit led to, so an edit keeps the one before it, and the making of an article
-- none.
ALTER TABLE article_edits ADD COLUMN document_before TEXT;
UPDATE article_edits AS e SET document_before = b.document
    FROM article_edits AS b WHERE b.article_id = e.article_id AND b.version = e.version - 1;
DELETE FROM article_edits WHERE version = 1;
ALTER TABLE article_edits DROP COLUMN document;

-- Almost everything was done; what was refused or failed is looked for.
DROP INDEX audit_events_outcome;
CREATE INDEX audit_events_outcome ON audit_events (outcome, id) WHERE outcome <> 'done';
