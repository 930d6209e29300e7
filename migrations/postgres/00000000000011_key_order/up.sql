-- Only SQLite has tables that are the index of their key: nothing is to be done here.
SELECT 1;
