-- The text of what is live may be that of the draft as well, listed under the same date: then it is indexed once.
ALTER TABLE search_documents ADD COLUMN serves_draft BOOLEAN NOT NULL DEFAULT FALSE;
