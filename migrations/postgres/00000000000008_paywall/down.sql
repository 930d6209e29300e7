ALTER TABLE site DROP COLUMN paywall_selector;
ALTER TABLE article_contents DROP COLUMN access;
