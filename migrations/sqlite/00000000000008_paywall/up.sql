-- Who may read the whole of an article, and what of its page is behind the paywall.
ALTER TABLE article_contents ADD COLUMN access TEXT NOT NULL DEFAULT 'free';
ALTER TABLE site ADD COLUMN paywall_selector TEXT;
