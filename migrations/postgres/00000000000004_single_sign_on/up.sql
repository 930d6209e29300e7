-- Single sign-on: who users are to the identity provider, and log-ins that are under way.

CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (user_id, issuer)
);

-- A browser is at the provider.
CREATE TABLE sign_on_attempts (
    state_hash TEXT NOT NULL PRIMARY KEY,
    verifier_hash TEXT NOT NULL,
    nonce TEXT NOT NULL,
    pkce_verifier TEXT NOT NULL,
    return_to TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_on_attempts_expiry ON sign_on_attempts (expires_at);

-- A browser is back with a code that the tool exchanges for a log-in.
CREATE TABLE sign_on_codes (
    code_hash TEXT NOT NULL PRIMARY KEY,
    verifier_hash TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_on_codes_user ON sign_on_codes (user_id);
CREATE INDEX sign_on_codes_expiry ON sign_on_codes (expires_at);
