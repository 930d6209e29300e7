-- Headlines are sorted by their words, without accents, quotation marks and capitals: as the search index has them.
ALTER TABLE article_contents ADD COLUMN headline_key TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE article_contents SET headline_key = coalesce((
    SELECT substr(d.headline, 1, 100) FROM search_documents AS d
    WHERE d.article_id = article_contents.article_id
    AND (d.stage = article_contents.stage OR (d.serves_draft AND article_contents.stage = 0))
    LIMIT 1
), substr(lower(headline), 1, 100));
DROP INDEX article_contents_headline;
CREATE INDEX article_contents_headline ON article_contents (stage, headline_key, article_id);
