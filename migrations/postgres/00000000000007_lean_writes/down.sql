CREATE INDEX publications_from ON publications (article_id, live_from);
CREATE INDEX changes_entity ON changes (entity, entity_id);
DROP INDEX article_contents_until;
CREATE INDEX article_contents_until ON article_contents (stage, live_until);
DROP INDEX article_contents_scheduled;
CREATE INDEX article_contents_from ON article_contents (stage, live_from);
