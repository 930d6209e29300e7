DROP INDEX audit_events_outcome;
CREATE INDEX audit_events_outcome ON audit_events (outcome, id);
-- What the last edit led to is not kept: edits of it are told what changed, and are not merged.
ALTER TABLE article_edits ADD COLUMN document TEXT;
UPDATE article_edits SET document = (
    SELECT n.document_before FROM article_edits AS n
    WHERE n.article_id = article_edits.article_id AND n.version = article_edits.version + 1
);
ALTER TABLE article_edits DROP COLUMN document_before;
CREATE INDEX publications_from ON publications (article_id, live_from);
CREATE INDEX changes_entity ON changes (entity, entity_id);
DROP INDEX article_contents_until;
CREATE INDEX article_contents_until ON article_contents (stage, live_until);
DROP INDEX article_contents_scheduled;
CREATE INDEX article_contents_from ON article_contents (stage, live_from);
