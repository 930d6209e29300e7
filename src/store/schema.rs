//! The tables, the same in both databases. Instants are milliseconds since the Unix epoch.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    users (id) {
        id -> BigInt,
        email -> Text,
        name -> Text,
        role -> Text,
        suspended -> Bool,
        password_hash -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        version -> BigInt,
    }
}

table! {
    setup_links (token_hash) {
        token_hash -> Text,
        expires_at -> BigInt,
    }
}

table! {
    site (id) {
        id -> BigInt,
        name -> Text,
        tagline -> Nullable<Text>,
        url -> Text,
        language -> Text,
        time_zone -> Text,
        permalink -> Text,
        navigation -> Text,
        version -> BigInt,
        updated_at -> BigInt,
        confirm_warnings -> Bool,
        second_factor_roles -> Text,
        paywall_selector -> Nullable<Text>,
    }
}

table! {
    authors (id) {
        id -> BigInt,
        slug -> Text,
        name -> Text,
        role -> Nullable<Text>,
        bio -> Nullable<Text>,
        avatar -> Nullable<Text>,
        links -> Text,
        user_id -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    sections (id) {
        id -> BigInt,
        parent_id -> Nullable<BigInt>,
        slug -> Text,
        path -> Text,
        name -> Text,
        description -> Nullable<Text>,
        seo -> Text,
        position -> Integer,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    tags (id) {
        id -> BigInt,
        slug -> Text,
        name -> Text,
        #[sql_name = "type"]
        kind -> Text,
        description -> Nullable<Text>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    slugs (kind, slug) {
        kind -> Text,
        slug -> Text,
        entity_id -> BigInt,
        public -> Bool,
        visible_from -> Nullable<BigInt>,
    }
}

table! {
    articles (id) {
        id -> BigInt,
        state -> Text,
        version -> BigInt,
        live_version -> Nullable<BigInt>,
        created_by -> BigInt,
        created_at -> BigInt,
        first_published_at -> Nullable<BigInt>,
        assignee_id -> Nullable<BigInt>,
        retraction_reason -> Nullable<Text>,
        release_id -> Nullable<BigInt>,
    }
}

table! {
    article_edits (article_id, version) {
        article_id -> BigInt,
        version -> BigInt,
        at -> BigInt,
        actor_id -> BigInt,
        changed -> Text,
        document_before -> Nullable<Text>,
    }
}

table! {
    article_contents (article_id, stage) {
        article_id -> BigInt,
        stage -> SmallInt,
        version -> BigInt,
        slug -> Text,
        #[sql_name = "type"]
        kind -> Text,
        language -> Text,
        section_id -> Nullable<BigInt>,
        live_from -> Nullable<BigInt>,
        live_until -> Nullable<BigInt>,
        published_at -> Nullable<BigInt>,
        updated_at -> BigInt,
        word_count -> Integer,
        headline -> Text,
        standfirst -> Nullable<Text>,
        kicker -> Nullable<Text>,
        dateline -> Nullable<Text>,
        lead_image -> Nullable<Text>,
        seo -> Text,
        planned_until -> Nullable<BigInt>,
        revision -> Nullable<Integer>,
        refs -> Text,
        access -> Text,
        body_version -> BigInt,
        headline_key -> Text,
    }
}

table! {
    signals (seq) {
        seq -> BigInt,
        text -> Text,
    }
}

table! {
    article_bodies (article_id, version) {
        article_id -> BigInt,
        version -> BigInt,
        body -> Text,
    }
}

table! {
    content_sections (article_id, stage, section_id) {
        article_id -> BigInt,
        stage -> SmallInt,
        section_id -> BigInt,
        position -> Integer,
    }
}

table! {
    content_tags (article_id, stage, tag_id) {
        article_id -> BigInt,
        stage -> SmallInt,
        tag_id -> BigInt,
        position -> Integer,
    }
}

table! {
    content_bylines (article_id, stage, position) {
        article_id -> BigInt,
        stage -> SmallInt,
        position -> Integer,
        author_id -> Nullable<BigInt>,
        name -> Nullable<Text>,
        role -> Nullable<Text>,
    }
}

table! {
    content_facets (listing, kind, facet_id, published_at, article_id, stage) {
        listing -> SmallInt,
        kind -> SmallInt,
        facet_id -> BigInt,
        published_at -> BigInt,
        article_id -> BigInt,
        stage -> SmallInt,
    }
}

table! {
    search_documents (doc) {
        doc -> BigInt,
        article_id -> BigInt,
        stage -> SmallInt,
        listed_at -> BigInt,
        headline -> Text,
        lead -> Text,
        serves_draft -> Bool,
    }
}

table! {
    search_progress (id) {
        id -> BigInt,
        built_through -> BigInt,
    }
}

table! {
    related_links (id, stage) {
        id -> BigInt,
        stage -> SmallInt,
        article_id -> BigInt,
        position -> Integer,
        label -> Text,
        kind -> Text,
        target_article_id -> Nullable<BigInt>,
        url -> Nullable<Text>,
        title -> Nullable<Text>,
        block_id -> Nullable<BigInt>,
    }
}

table! {
    changes (seq) {
        seq -> BigInt,
        at -> BigInt,
        kind -> Text,
        entity -> Text,
        entity_id -> BigInt,
        path -> Nullable<Text>,
        old_path -> Nullable<Text>,
        surrogate_keys -> Text,
        actor_id -> Nullable<BigInt>,
    }
}

table! {
    revisions (article_id, number) {
        article_id -> BigInt,
        number -> Integer,
        version -> BigInt,
        kind -> Text,
        at -> BigInt,
        actor_id -> Nullable<BigInt>,
        note -> Nullable<Text>,
        snapshot -> Text,
        body_version -> BigInt,
    }
}

table! {
    publications (article_id, revision) {
        article_id -> BigInt,
        revision -> Integer,
        live_from -> BigInt,
        live_until -> Nullable<BigInt>,
    }
}

table! {
    publication_facets (kind, facet_id, published_at, article_id, revision) {
        kind -> SmallInt,
        facet_id -> BigInt,
        published_at -> BigInt,
        article_id -> BigInt,
        revision -> Integer,
    }
}

table! {
    article_notes (article_id, id) {
        article_id -> BigInt,
        id -> BigInt,
        author_id -> BigInt,
        kind -> Text,
        text -> Nullable<Text>,
        block_id -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    article_locks (article_id) {
        article_id -> BigInt,
        holder_id -> BigInt,
        acquired_at -> BigInt,
        expires_at -> BigInt,
    }
}

table! {
    previews (id) {
        id -> BigInt,
        article_id -> BigInt,
        token_hash -> Text,
        note -> Nullable<Text>,
        version -> Nullable<BigInt>,
        snapshot -> Nullable<Text>,
        created_by -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        opened_count -> BigInt,
        last_opened_at -> Nullable<BigInt>,
    }
}

table! {
    corrections (id) {
        id -> BigInt,
        article_id -> BigInt,
        kind -> Text,
        text -> Text,
        block_id -> Nullable<BigInt>,
        published_at -> BigInt,
        created_by -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    redirects (id) {
        id -> BigInt,
        from_path -> Text,
        target -> Text,
        version -> BigInt,
        created_by -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    releases (id) {
        id -> BigInt,
        name -> Text,
        description -> Nullable<Text>,
        state -> Text,
        at -> Nullable<BigInt>,
        version -> BigInt,
        created_by -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    release_items (release_id, article_id) {
        release_id -> BigInt,
        article_id -> BigInt,
        position -> Integer,
        action -> Text,
    }
}

table! {
    signing_keys (kid) {
        kid -> Text,
        public_key -> Text,
        expires_at -> BigInt,
    }
}

table! {
    sessions (id) {
        id -> BigInt,
        user_id -> BigInt,
        method -> Text,
        address -> Text,
        user_agent -> Nullable<Text>,
        created_at -> BigInt,
        used_at -> BigInt,
        expires_at -> BigInt,
    }
}

table! {
    refresh_tokens (token_hash) {
        token_hash -> Text,
        session_id -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

table! {
    second_factors (user_id) {
        user_id -> BigInt,
        secret -> Text,
        confirmed_at -> Nullable<BigInt>,
        last_step -> BigInt,
    }
}

table! {
    recovery_codes (user_id, code_hash) {
        user_id -> BigInt,
        code_hash -> Text,
    }
}

table! {
    api_tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        name -> Text,
        prefix -> Text,
        token_hash -> Text,
        scopes -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        used_at -> Nullable<BigInt>,
    }
}

table! {
    password_links (token_hash) {
        token_hash -> Text,
        user_id -> BigInt,
        expires_at -> BigInt,
    }
}

table! {
    login_attempts (key_hash) {
        key_hash -> Text,
        failures -> BigInt,
        last_at -> BigInt,
    }
}

table! {
    idempotency_keys (principal_id, key_hash) {
        principal_id -> BigInt,
        key_hash -> Text,
        sealed_answer -> Nullable<Binary>,
        created_at -> BigInt,
    }
}

table! {
    audit_events (id) {
        id -> BigInt,
        at -> BigInt,
        actor_id -> Nullable<BigInt>,
        actor_name -> Nullable<Text>,
        credential -> Text,
        credential_id -> Nullable<BigInt>,
        action -> Text,
        outcome -> Text,
        entity -> Nullable<Text>,
        entity_id -> Nullable<BigInt>,
        target -> Nullable<Text>,
        detail -> Nullable<Text>,
        before_change -> Nullable<Text>,
        after_change -> Nullable<Text>,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        request_id -> Nullable<Text>,
    }
}

table! {
    identities (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        user_id -> BigInt,
        created_at -> BigInt,
        used_at -> BigInt,
    }
}

table! {
    sign_on_attempts (state_hash) {
        state_hash -> Text,
        verifier_hash -> Text,
        nonce -> Text,
        pkce_verifier -> Text,
        return_to -> Text,
        expires_at -> BigInt,
    }
}

table! {
    sign_on_codes (code_hash) {
        code_hash -> Text,
        verifier_hash -> Text,
        user_id -> BigInt,
        expires_at -> BigInt,
    }
}

joinable!(sessions -> users (user_id));
joinable!(api_tokens -> users (user_id));
joinable!(content_tags -> tags (tag_id));
joinable!(content_sections -> sections (section_id));
joinable!(content_bylines -> authors (author_id));
joinable!(article_contents -> articles (article_id));
joinable!(article_notes -> users (author_id));
joinable!(article_locks -> users (holder_id));
joinable!(previews -> users (created_by));
joinable!(redirects -> users (created_by));
joinable!(revisions -> users (actor_id));
joinable!(release_items -> releases (release_id));

allow_tables_to_appear_in_same_query!(
    users,
    site,
    authors,
    sections,
    tags,
    slugs,
    articles,
    article_contents,
    article_bodies,
    content_sections,
    content_tags,
    content_bylines,
    content_facets,
    search_documents,
    related_links,
    revisions,
    publications,
    publication_facets,
    article_notes,
    article_locks,
    previews,
    corrections,
    redirects,
    releases,
    release_items,
    sessions,
    refresh_tokens,
    second_factors,
    api_tokens,
);
