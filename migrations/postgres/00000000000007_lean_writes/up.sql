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
