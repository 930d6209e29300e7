-- Who comes in, and what they did: sessions, second factors, API tokens, one-time links, the audit log.

ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- The roles that cannot work without a second factor: a JSON list.
ALTER TABLE site ADD COLUMN second_factor_roles TEXT NOT NULL DEFAULT '[]';

-- The public half of each node's signing key. A node keeps its own from expiring; the private half stays with it.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    public_key TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    method TEXT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, created_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Each refresh token of a session, by its hash. One that was used stays until the session ends, so that its reuse is noticed.
CREATE TABLE refresh_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    session_id BIGINT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

-- TOTP (RFC 6238). It counts from `confirmed_at` on.
CREATE TABLE second_factors (
    user_id BIGINT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE api_tokens (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

-- One-time links with which a user sets a password.
CREATE TABLE password_links (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX password_links_user ON password_links (user_id);

-- Failed log-ins by what they have in common: the hash of an address of the network, or of that and an account.
CREATE TABLE login_attempts (
    key_hash TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);

-- What was answered to a request with an Idempotency-Key, sealed with that key, which is kept as a hash only.
CREATE TABLE idempotency_keys (
    principal_id BIGINT NOT NULL,
    key_hash TEXT NOT NULL,
    sealed_answer BYTEA,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (principal_id, key_hash)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Who did what to what, from where. Nothing here refers to a row that may go away.
CREATE TABLE audit_events (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_id BIGINT,
    actor_name TEXT,
    credential TEXT NOT NULL,
    credential_id BIGINT,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    entity TEXT,
    entity_id BIGINT,
    target TEXT,
    detail TEXT,
    before_change TEXT,
    after_change TEXT,
    address TEXT,
    user_agent TEXT,
    request_id TEXT
);
CREATE INDEX audit_events_actor ON audit_events (actor_id, id);
CREATE INDEX audit_events_action ON audit_events (action, id);
CREATE INDEX audit_events_outcome ON audit_events (outcome, id);
CREATE INDEX audit_events_entity ON audit_events (entity, entity_id, id);

CREATE FUNCTION audit_events_keep() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_events_keep BEFORE UPDATE OR DELETE ON audit_events
FOR EACH ROW EXECUTE FUNCTION audit_events_keep();
CREATE TRIGGER audit_events_keep_all BEFORE TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION audit_events_keep();
