//! What an article was: revisions, and what readers saw at an instant.

use super::{
    ArticleListRequest, ArticleView, EditRequest, edit::edit, load_draft, notes, publish, readable_record,
    views,
};
use crate::{
    domain::{
        article::{Article, ArticleOrder, Document, Stage},
        change::Entity,
        diff::{self, DocumentDiff},
        error::{Error, Fault},
        id::ArticleId,
        instant::Instant,
        link::{CardState, LinkTarget},
        note::NoteKind,
        page::{Page, PageRequest},
        permission::{Action, require},
        revision::{Revision, RevisionKind},
        slug::Reference,
        user::Principal,
    },
    service::Newsroom,
    store::{
        articles::{self, revisions},
        conn::Db,
        slugs,
    },
};

/// A page of the revisions of an article, the newest first.
///
/// # Errors
/// 401; 404 if there is no such article or the caller may not read its draft.
pub async fn list_revisions(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    page: PageRequest,
) -> Result<Page<Revision>, Error> {
    newsroom
        .store
        .read(move |db| {
            let record = readable_record(db, &principal, &reference, false)?;
            revisions::list(db, record.id, &page)
        })
        .await
}

/// One revision with its document, as it was.
///
/// # Errors
/// As [`list_revisions`]; 404 if there is no such revision.
pub async fn get_revision(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    number: i32,
) -> Result<(Revision, Article), Error> {
    newsroom
        .store
        .read(move |db| {
            let record = readable_record(db, &principal, &reference, false)?;
            find(db, record.id, number)
        })
        .await
}

fn find(db: &mut Db, id: ArticleId, number: i32) -> Result<(Revision, Article), Error> {
    revisions::get(db, id, number)?.ok_or_else(|| Error::not_found("revision"))
}

/// What is different between two revisions.
///
/// # Errors
/// As [`get_revision`].
pub async fn compare_revisions(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    (old, new): (i32, i32),
) -> Result<DocumentDiff, Error> {
    newsroom
        .store
        .read(move |db| {
            let record = readable_record(db, &principal, &reference, false)?;
            let (_, old) = find(db, record.id, old)?;
            let (_, new) = find(db, record.id, new)?;
            Ok(diff::diff(&Document::of(&old)?, &Document::of(&new)?))
        })
        .await
}

/// Keeps the draft, as it is now, as a revision.
///
/// # Errors
/// 403, 404; 412 if a version is given and stale.
pub async fn save_point(
    newsroom: &Newsroom,
    on: EditRequest,
    note: Option<String>,
) -> Result<Revision, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (user, record) = on.begin(db, &room, Action::EditDraft)?;
            let draft = load_draft(db, &room, &on.principal, record.id)?;
            let now = room.clock.now();
            let number = publish::keep(db, &draft, RevisionKind::SavePoint, user.id, now, note.as_deref())?;
            Ok(find(db, record.id, number)?.0)
        })
        .await
}

/// Makes the draft what a revision was; readers see nothing of it. The draft that it replaces is kept as a revision.
/// Sections, tags and authors that are no more are left out, and a slug that belongs to another by now stays as it is.
///
/// # Errors
/// 403, 404; 412 for a stale version.
pub async fn restore(newsroom: &Newsroom, on: EditRequest, number: i32) -> Result<ArticleView, Error> {
    let restored = edit(newsroom, on, move |edit| {
        let (_, revision) = find(edit.db, edit.record.id, number)?;
        let mut document = Document::of(&revision)?;
        drop_missing(edit.db, &mut document)?;
        let name = [Reference::Slug(document.slug.to_string())];
        let owner = slugs::resolve(edit.db, Entity::Article, &name)?.into_iter().flatten().next();
        if owner.is_some_and(|owner| owner != edit.record.id.get()) {
            document.slug = edit.document.slug.clone();
        }
        let draft = load_draft(edit.db, edit.newsroom, edit.principal, edit.record.id)?;
        let note = format!("Before revision {number} was restored");
        let (user, now) = (edit.principal.user()?.id, edit.newsroom.clock.now());
        publish::keep(edit.db, &draft, RevisionKind::Backup, user, now, Some(&note))?;
        *edit.document = document;
        let text = Some(format!("Revision {number}"));
        notes::tell(edit.db, edit.newsroom, edit.record, user, NoteKind::Restored, text)
    });
    restored.await.map(|(view, ())| view)
}

/// Leaves out what a document refers to and what is no more.
fn drop_missing(db: &mut Db, document: &mut Document) -> Result<(), Error> {
    let sections: Vec<i64> =
        document.section.iter().chain(&document.sections).map(|section| section.get()).collect();
    let sections = articles::existing(db, Entity::Section, &sections)?;
    document.section = document.section.filter(|section| sections.contains(&section.get()));
    document.sections.retain(|section| sections.contains(&section.get()));
    let tags: Vec<i64> = document.tags.iter().map(|tag| tag.get()).collect();
    let tags = articles::existing(db, Entity::Tag, &tags)?;
    document.tags.retain(|tag| tags.contains(&tag.get()));
    let authors: Vec<i64> =
        document.bylines.iter().filter_map(|byline| byline.author).map(|author| author.get()).collect();
    let authors = articles::existing(db, Entity::Author, &authors)?;
    for byline in &mut document.bylines {
        byline.author = byline.author.filter(|author| authors.contains(&author.get()));
    }
    document.bylines.retain(|byline| byline.author.is_some() || byline.name.is_some());
    let targets = document.links.iter().filter_map(|link| match link.target {
        LinkTarget::Article(id) => Some(id.get()),
        _ => None,
    });
    let targets = articles::existing(db, Entity::Article, &targets.collect::<Vec<_>>())?;
    for link in &mut document.links {
        if let LinkTarget::Article(id) = link.target
            && !targets.contains(&id.get())
        {
            link.target = LinkTarget::Deleted { title: String::new() };
        }
    }
    Ok(())
}

/// What readers saw of an article at an instant that has passed, or, for one to come, will see as things stand.
///
/// # Errors
/// 401; 403 for contributors; 404 if readers saw nothing then.
pub async fn get_as_of(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    at: Instant,
) -> Result<ArticleView, Error> {
    require(&principal, Action::ReadHistory)?;
    if at > newsroom.clock.now() {
        return super::get_at(newsroom, principal, reference, Stage::Live, at).await;
    }
    publish::settle_due(newsroom).await?;
    newsroom
        .store
        .read(move |db| {
            let id = super::resolve(db, &reference)?;
            let (_, article) = revisions::at(db, id, at)?.ok_or_else(|| Error::not_found("article"))?;
            let mut articles = vec![Article { stage: Stage::Live, ..article }];
            refresh_links(db, &mut articles, at)?;
            views(db, &principal, articles, at)?.pop().ok_or_else(|| Error::not_found("article"))
        })
        .await
}

/// A page of what readers saw at an instant, in a section with those below it or on the whole site, the newest first.
///
/// # Errors
/// 401; 403 for contributors.
pub async fn list_as_of(
    newsroom: &Newsroom,
    principal: Principal,
    request: ArticleListRequest,
    at: Instant,
) -> Result<Page<ArticleView>, Error> {
    require(&principal, Action::ReadHistory)?;
    if at > newsroom.clock.now() {
        return super::list_at(newsroom, principal, request, at).await.map(|(page, _)| page);
    }
    only_section(&request)?;
    publish::settle_due(newsroom).await?;
    newsroom
        .store
        .read(move |db| {
            let facet = match &request.filter.section {
                None => revisions::EVERYTHING,
                Some(section) => (revisions::SECTION, slugs::resolve_one(db, Entity::Section, section)?),
            };
            let page = revisions::list_at(db, facet, at, &request.page, &request.sort)?;
            let Page { mut items, limit, next, prev, total } = page;
            for article in &mut items {
                article.stage = Stage::Live;
            }
            refresh_links(db, &mut items, at)?;
            Ok(Page { items: views(db, &principal, items, at)?, limit, next, prev, total })
        })
        .await
}

/// What readers saw is kept by section, in the order of publication.
fn only_section(request: &ArticleListRequest) -> Result<(), Error> {
    let filter = &request.filter;
    let others = [
        ("section_scope", filter.section_exact),
        ("tag", !filter.any_tag.is_empty()),
        ("all_tags", !filter.all_tags.is_empty()),
        ("author", filter.author.is_some()),
        ("type", !filter.kinds.is_empty()),
        ("language", filter.language.is_some()),
        ("published_after", filter.published_after.is_some()),
        ("published_before", filter.published_before.is_some()),
        ("updated_after", filter.updated_after.is_some()),
        ("updated_before", filter.updated_before.is_some()),
        ("ids", !filter.ids.is_empty()),
        ("exclude", !filter.exclude.is_empty()),
        ("has", filter.has_lead_image),
        ("sort", request.order != ArticleOrder::PublishedAt || !request.descending),
    ];
    let others = others.into_iter().filter(|(_, is_given)| *is_given);
    let message = "cannot be combined with as_of for an instant that has passed";
    let faults: Vec<_> = others.map(|(name, _)| Fault::parameter(name, "excluded", message)).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::InvalidParameters(faults)) }
}

/// Gives the links of old documents the cards that readers saw then. Links that they could not follow are left out.
fn refresh_links(db: &mut Db, articles: &mut [Article], at: Instant) -> Result<(), Error> {
    let targets = articles.iter().flat_map(|article| article.links.iter().flatten());
    let targets = targets.filter_map(|related| match related.link.target {
        LinkTarget::Article(id) => Some(id.get()),
        _ => None,
    });
    let targets: Vec<i64> = targets.collect();
    let seen = if targets.is_empty() { Vec::new() } else { revisions::all_at(db, &targets, at)? };
    for article in articles {
        let Some(links) = &mut article.links else { continue };
        links.retain_mut(|related| match related.link.target {
            LinkTarget::External { .. } => true,
            LinkTarget::Deleted { .. } => false,
            LinkTarget::Article(id) => match seen.iter().find(|target| target.id == id) {
                Some(target) => {
                    related.card = target.card(CardState::Live);
                    true
                }
                None => false,
            },
        });
    }
    Ok(())
}
