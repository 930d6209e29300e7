-- The newsroom: access, site, taxonomy, articles in two stages, related links, the change feed.
-- Instants are milliseconds since the Unix epoch, UTC. JSON documents are text.

CREATE TABLE users (
    id BIGINT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    suspended BOOLEAN NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE authors (
    id BIGINT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT,
    bio TEXT,
    avatar TEXT,
    links TEXT NOT NULL,
    user_id BIGINT UNIQUE REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- One-time links that make the first administrator; the token itself is never stored.
CREATE TABLE setup_links (
    token_hash TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

-- One row, id 1.
CREATE TABLE site (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    tagline TEXT,
    url TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    permalink TEXT NOT NULL,
    navigation TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE sections (
    id BIGINT NOT NULL PRIMARY KEY,
    parent_id BIGINT REFERENCES sections (id),
    slug TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    seo TEXT NOT NULL,
    position INTEGER NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sections_parent ON sections (parent_id, position);

CREATE TABLE tags (
    id BIGINT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    description TEXT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Every name under which a thing can be, or could once be, found: article, tag and author slugs, section paths.
-- The current name is also in the thing's own row; any other row here is a redirect to it.
CREATE TABLE slugs (
    kind TEXT NOT NULL,
    slug TEXT NOT NULL,
    entity_id BIGINT NOT NULL,
    -- Readers have seen this name, so it is kept as a redirect when the thing is renamed.
    public BOOLEAN NOT NULL,
    PRIMARY KEY (kind, slug)
);
CREATE INDEX slugs_entity ON slugs (entity_id);

-- What does not change with an edit.
CREATE TABLE articles (
    id BIGINT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    -- The version of the draft: what If-Match is compared with.
    version BIGINT NOT NULL,
    live_version BIGINT,
    created_by BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    first_published_at BIGINT
);
CREATE INDEX articles_created_by ON articles (created_by);

-- What each edit of a draft touched, so that an editor whose version is stale can be told what changed since.
CREATE TABLE article_edits (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_id BIGINT NOT NULL,
    changed TEXT NOT NULL,
    PRIMARY KEY (article_id, version)
);

-- The document, one row a stage: 0 draft, 1 live.
CREATE TABLE article_contents (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    stage SMALLINT NOT NULL,
    version BIGINT NOT NULL,
    slug TEXT NOT NULL,
    type TEXT NOT NULL,
    language TEXT NOT NULL,
    section_id BIGINT REFERENCES sections (id),
    live_from BIGINT,
    live_until BIGINT,
    published_at BIGINT,
    updated_at BIGINT NOT NULL,
    word_count INTEGER NOT NULL,
    headline TEXT NOT NULL,
    standfirst TEXT,
    kicker TEXT,
    dateline TEXT,
    lead_image TEXT,
    seo TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (article_id, stage)
);
CREATE INDEX article_contents_updated ON article_contents (stage, updated_at, article_id);
CREATE INDEX article_contents_headline ON article_contents (stage, headline, article_id);
CREATE INDEX article_contents_section ON article_contents (section_id);

CREATE TABLE content_sections (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    position INTEGER NOT NULL,
    section_id BIGINT NOT NULL REFERENCES sections (id),
    PRIMARY KEY (article_id, stage, section_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);
CREATE INDEX content_sections_section ON content_sections (section_id);

CREATE TABLE content_tags (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    position INTEGER NOT NULL,
    tag_id BIGINT NOT NULL REFERENCES tags (id),
    PRIMARY KEY (article_id, stage, tag_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);
CREATE INDEX content_tags_tag ON content_tags (tag_id);

CREATE TABLE content_bylines (
    article_id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    position INTEGER NOT NULL,
    author_id BIGINT REFERENCES authors (id),
    name TEXT,
    role TEXT,
    PRIMARY KEY (article_id, stage, position),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);
CREATE INDEX content_bylines_author ON content_bylines (author_id);

-- What lists are read from: one row for each thing an article can be listed under, in publication order.
-- kind 0 everything, 1 section with descendants, 2 section exactly, 3 tag, 4 author, 5 type.
CREATE TABLE content_facets (
    stage SMALLINT NOT NULL,
    kind SMALLINT NOT NULL,
    facet_id BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    article_id BIGINT NOT NULL,
    PRIMARY KEY (stage, kind, facet_id, published_at, article_id),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);
CREATE INDEX content_facets_article ON content_facets (article_id, stage);

-- Related-article links belong to a stage of the document and keep their id across stages.
CREATE TABLE related_links (
    id BIGINT NOT NULL,
    stage SMALLINT NOT NULL,
    article_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    label TEXT NOT NULL,
    kind TEXT NOT NULL,
    target_article_id BIGINT REFERENCES articles (id) ON DELETE SET NULL,
    url TEXT,
    title TEXT,
    -- The read_more block of the body in which the link stands; none for a link listed beside the article.
    block_id BIGINT,
    PRIMARY KEY (id, stage),
    FOREIGN KEY (article_id, stage) REFERENCES article_contents (article_id, stage) ON DELETE CASCADE
);
CREATE INDEX related_links_article ON related_links (article_id, stage, position);
CREATE INDEX related_links_target ON related_links (target_article_id);

-- Every change that readers can notice, in the order in which it became visible.
CREATE TABLE changes (
    seq BIGSERIAL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    entity TEXT NOT NULL,
    entity_id BIGINT NOT NULL,
    path TEXT,
    old_path TEXT,
    surrogate_keys TEXT NOT NULL,
    actor_id BIGINT
);
CREATE INDEX changes_entity ON changes (entity, entity_id);
