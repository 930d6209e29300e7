DROP TABLE search_progress;
DROP TRIGGER search_documents_deleted;
DROP TABLE search_text;
DROP TABLE search_documents;
