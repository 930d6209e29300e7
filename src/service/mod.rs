//! Use cases, one function each: check the permission, open the transaction, change things, record the change.

pub mod api_tokens;
pub mod articles;
pub mod audit;
pub mod auth;
pub mod authors;
pub mod changes;
pub mod feeds;
pub mod fronts;
pub mod oidc;
pub mod redirects;
pub mod releases;
pub mod resolve;
pub mod search;
pub mod second_factor;
pub mod sections;
pub mod sessions;
pub mod setup;
pub mod signing_keys;
pub mod site;
pub mod sitemaps;
pub mod structured_data;
pub mod tags;
pub mod users;

use std::sync::Arc;

use self::auth::{AccessCache, AccessTokens, PasswordHasher};
use crate::{
    domain::{
        change::{Change, ChangeKind, Entity},
        error::Error,
        id::{IdGenerator, UserId},
        identity::OidcSettings,
        instant::{Clock, Instant},
        slug::Slug,
        surrogate::SurrogateKeys,
    },
    store::{Store, conn::Db, signals::Signal, slugs, surroundings::SurroundingsCache},
};

/// How a newsroom is opened.
#[derive(Debug)]
pub struct NewsroomOptions {
    /// The number of this node in the ids that it makes.
    pub node: u16,
    /// Issues and checks access tokens.
    pub tokens: AccessTokens,
    /// Passwords that are hashed at the same time.
    pub password_hashing_concurrency: usize,
    /// Days after which a session that is not used ends.
    pub session_days: u32,
    /// Where others reach the server, without a slash at the end.
    pub public_url: String,
    /// Single sign-on, if it is on.
    pub oidc: Option<OidcSettings>,
}

/// A newsroom: its data, its clock, its keys. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Newsroom {
    /// The database.
    pub store: Store,
    /// Makes ids.
    pub ids: IdGenerator,
    /// Tells the time.
    pub clock: Clock,
    /// Issues and checks access tokens.
    pub tokens: Arc<AccessTokens>,
    /// Hashes passwords, a bounded number at a time.
    pub passwords: Arc<PasswordHasher>,
    /// The site and the cards of its sections, tags and authors.
    pub site: Arc<SurroundingsCache>,
    /// Who has which credential, as it was last read.
    pub access: Arc<AccessCache>,
    /// Tells those who wait for public changes that there are some.
    pub feed: Arc<changes::Feed>,
    /// When the keys of other nodes were last read.
    pub keys_read: Arc<signing_keys::LastRead>,
    /// Days after which a session that is not used ends.
    pub session_days: u32,
    /// Where others reach the server, without a slash at the end.
    pub public_url: Arc<str>,
    /// Single sign-on, if it is on.
    pub oidc: Option<Arc<oidc::SingleSignOn>>,
    /// Which sitemaps there are, as it was last found.
    pub sitemaps: Arc<sitemaps::Files>,
}

impl Newsroom {
    /// Opens a newsroom over a store.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn open(store: Store, options: NewsroomOptions) -> Result<Self, Error> {
        let callback = format!("{}{}", options.public_url, oidc::CALLBACK);
        let clock = Clock::default();
        let room = Self {
            ids: IdGenerator::new(options.node, clock.now()),
            clock,
            tokens: Arc::new(options.tokens),
            passwords: Arc::new(PasswordHasher::new(options.password_hashing_concurrency)?),
            site: Arc::new(SurroundingsCache::new(store.clone())),
            access: Arc::default(),
            feed: Arc::default(),
            keys_read: Arc::default(),
            session_days: options.session_days,
            public_url: options.public_url.into(),
            sitemaps: Arc::default(),
            oidc: options.oidc.map(|settings| Arc::new(oidc::SingleSignOn::new(settings, callback))),
            store,
        };
        let (site, access, tokens) = (room.site.clone(), room.access.clone(), room.tokens.clone());
        let feed = room.feed.clone();
        room.store.listen(move |signal| {
            access.hear(signal);
            feed.hear(signal);
            site.hear(signal);
            if matches!(signal, Signal::Keys | Signal::Everything) {
                // Those of other nodes are read when a token comes that is signed with one.
                tokens.know(&[]);
            }
        });
        Ok(room)
    }

    /// The same newsroom with its clock stopped, so that all that a transaction does happens at one instant.
    fn frozen(&self) -> Self {
        Self { clock: self.clock.frozen(), ..self.clone() }
    }
}

/// Checks the version that the caller builds on; `None` builds on whatever is there.
fn check_version(expected: Option<i64>, current_version: i64) -> Result<(), Error> {
    match expected {
        Some(version) if version != current_version => {
            Err(Error::Stale { current_version, changed: Vec::new() })
        }
        _ => Ok(()),
    }
}

/// Takes the slug that was asked for, or a free one made of a name.
fn claim_slug(
    db: &mut Db,
    kind: Entity,
    slug: Option<Slug>,
    name: &str,
    id: i64,
    public: bool,
) -> Result<Slug, Error> {
    match slug {
        Some(slug) => slugs::claim(db, kind, slug.as_str(), id, public).map(|()| slug),
        None => match Slug::from_text(name) {
            Some(wanted) => slugs::claim_free(db, kind, &wanted, id, public),
            None => {
                Err(Error::invalid("/slug", "required", "is required, since none can be made of the name"))
            }
        },
    }
}

/// The public change of a section, tag or author.
fn taxonomy_change(
    kind: ChangeKind,
    entity: Entity,
    entity_id: i64,
    path: Option<String>,
    old_path: Option<String>,
    at: Instant,
    actor: UserId,
) -> Change {
    let keys = SurrogateKeys::default().one(entity, entity_id);
    // The articles of what is no more are elsewhere.
    let keys = if kind == ChangeKind::Removed { keys.articles_of(entity, entity_id) } else { keys };
    let surrogate_keys = keys.texts();
    Change { kind, entity, entity_id, path, old_path, surrogate_keys, at, actor: Some(actor) }
}
