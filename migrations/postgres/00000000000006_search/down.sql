DROP TABLE search_progress;
DROP SEQUENCE search_places;
DROP TABLE search_text;
DROP TABLE search_documents;
