-- Drafts without a text of their own would not be found: the index is built anew.
DELETE FROM search_progress;
ALTER TABLE search_documents DROP COLUMN serves_draft;
