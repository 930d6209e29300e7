-- The editorial workflow: scheduled versions, revisions and what readers saw when, notes, presence, previews,
-- corrections, redirects, releases.

ALTER TABLE site ADD COLUMN confirm_warnings BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE articles ADD COLUMN assignee_id BIGINT REFERENCES users (id);
-- What readers are told of a retracted article.
ALTER TABLE articles ADD COLUMN retraction_reason TEXT;
-- The scheduled release that holds the article until it takes effect.
ALTER TABLE articles ADD COLUMN release_id BIGINT;

-- A name that becomes public with a scheduled version is not known to readers before.
ALTER TABLE slugs ADD COLUMN visible_from BIGINT;

-- The document that the edit led to: the common ancestor of edits that are merged. Older ones are dropped.
ALTER TABLE article_edits ADD COLUMN document TEXT;

-- Stage 2 is the scheduled version: readers see it from its live_from on, and the live one until its live_until.
-- When the end of a live document was asked for. live_until is earlier if a scheduled version takes its place before.
ALTER TABLE article_contents ADD COLUMN planned_until BIGINT;
-- The revision of a live or scheduled document.
ALTER TABLE article_contents ADD COLUMN revision INTEGER;
CREATE INDEX article_contents_from ON article_contents (stage, live_from);
CREATE INDEX article_contents_until ON article_contents (stage, live_until);

-- A listing is 0 for drafts, 1 for live and scheduled documents together: which of the two counts is a matter of time.
ALTER TABLE content_facets RENAME TO old_facets;
DROP INDEX content_facets_article;
CREATE TABLE content_facets (
    listing SMALLINT NOT NULL,
    kind SMALLINT NOT NULL,
    facet_id BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    PRIMARY KEY (listing, kind, facet_id, published_at, article_id, stage),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO content_facets (listing, kind, facet_id, published_at, article_id, stage)
    SELECT stage, kind, facet_id, published_at, article_id, stage FROM old_facets;
DROP TABLE old_facets;
CREATE INDEX content_facets_article ON content_facets (article_id, stage);

-- Immutable snapshots: what was published, or kept on purpose.
CREATE TABLE revisions (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor_id BIGINT REFERENCES users (id),
    note TEXT,
    snapshot TEXT NOT NULL,
    PRIMARY KEY (article_id, number)
);

-- The intervals in which readers saw a revision.
CREATE TABLE publications (
    article_id BIGINT NOT NULL,
    revision INTEGER NOT NULL,
    live_from BIGINT NOT NULL,
    live_until BIGINT,
    PRIMARY KEY (article_id, revision),
    FOREIGN KEY (article_id, revision) REFERENCES revisions (article_id, number) ON DELETE CASCADE
);

-- Under what they were listed then; kinds as in content_facets.
CREATE TABLE publication_facets (
    kind SMALLINT NOT NULL,
    facet_id BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    article_id BIGINT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (kind, facet_id, published_at, article_id, revision),
    FOREIGN KEY (article_id, revision) REFERENCES publications (article_id, revision) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX publication_facets_article ON publication_facets (article_id, revision);
CREATE INDEX publications_from ON publications (article_id, live_from);

-- The thread of an article: what editors say, and the steps of the workflow.
CREATE TABLE article_notes (
    id INTEGER NOT NULL PRIMARY KEY,
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    author_id BIGINT NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    text TEXT,
    block_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX article_notes_article ON article_notes (article_id, id);

-- Who is editing. A courtesy: it keeps nobody out.
CREATE TABLE article_locks (
    article_id INTEGER NOT NULL PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
    holder_id BIGINT NOT NULL REFERENCES users (id),
    acquired_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Links under which a draft can be read without logging in; the token itself is never stored.
CREATE TABLE previews (
    id INTEGER NOT NULL PRIMARY KEY,
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    note TEXT,
    -- Pinned to a version, with the document of that version; none for one that follows the draft.
    version BIGINT,
    snapshot TEXT,
    created_by BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    opened_count BIGINT NOT NULL,
    last_opened_at BIGINT
);
CREATE INDEX previews_article ON previews (article_id, id);

CREATE TABLE corrections (
    id INTEGER NOT NULL PRIMARY KEY,
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    block_id BIGINT,
    published_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX corrections_article ON corrections (article_id, published_at, id);

-- Redirects that editors made. Those of renamed things follow from slugs.
CREATE TABLE redirects (
    id INTEGER NOT NULL PRIMARY KEY,
    from_path TEXT NOT NULL UNIQUE,
    target TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX redirects_target ON redirects (target);

-- Articles that are published and unpublished together.
CREATE TABLE releases (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    state TEXT NOT NULL,
    at BIGINT,
    version BIGINT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX releases_state ON releases (state, at);

CREATE TABLE release_items (
    release_id BIGINT NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    action TEXT NOT NULL,
    PRIMARY KEY (release_id, article_id)
);
CREATE INDEX release_items_article ON release_items (article_id);
