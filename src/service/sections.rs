//! Sections: make, edit, move, delete. The tree is small, so each change of its shape looks at the whole of it.

use std::collections::HashMap;

use super::{Newsroom, check_version, taxonomy_change};
use crate::{
    domain::{
        change::{ChangeKind, Entity},
        error::{Error, ErrorCode},
        id::{SectionId, UserId},
        instant::Instant,
        page::{Page, PageRequest},
        permission::{Action, require},
        section::{MAX_DEPTH, Section, SectionChanges, SectionNode},
        slug::{Reference, Slug},
        surrogate::SurrogateKeys,
        user::Principal,
    },
    store::{changes, conn::Db, sections, slugs},
};

/// A page of sections by path.
pub async fn list(
    newsroom: &Newsroom,
    request: PageRequest,
    count_articles: bool,
) -> Result<Page<SectionNode>, Error> {
    let now = newsroom.clock.now();
    newsroom
        .store
        .read(move |db| {
            let page = sections::list(db, &request)?;
            let counts = counts(db, &page.items, count_articles, now)?;
            Ok(page.map(|section| node(section, counts.as_ref())))
        })
        .await
}

/// The whole tree: its roots, with their descendants in them.
pub async fn tree(newsroom: &Newsroom, count_articles: bool) -> Result<Vec<SectionNode>, Error> {
    let now = newsroom.clock.now();
    newsroom
        .store
        .read(move |db| {
            let all = sections::all(db)?;
            let counts = counts(db, &all, count_articles, now)?;
            let mut below: HashMap<Option<SectionId>, Vec<SectionNode>> = HashMap::new();
            for section in all {
                below.entry(section.parent_id).or_default().push(node(section, counts.as_ref()));
            }
            Ok(nest(&mut below, None))
        })
        .await
}

fn nest(
    below: &mut HashMap<Option<SectionId>, Vec<SectionNode>>,
    parent: Option<SectionId>,
) -> Vec<SectionNode> {
    let mut nodes = below.remove(&parent).unwrap_or_default();
    for node in &mut nodes {
        node.children = Some(nest(below, Some(node.section.id)));
    }
    nodes
}

/// One section.
///
/// # Errors
/// 404 if there is none; [`Error::Moved`] for a former path.
pub async fn get(
    newsroom: &Newsroom,
    reference: Reference,
    count_articles: bool,
) -> Result<SectionNode, Error> {
    let now = newsroom.clock.now();
    newsroom
        .store
        .read(move |db| {
            let section = find(db, &reference)?;
            let counts = counts(db, std::slice::from_ref(&section), count_articles, now)?;
            Ok(node(section, counts.as_ref()))
        })
        .await
}

type Counts = HashMap<i64, i64>;

fn counts(db: &mut Db, of: &[Section], wanted: bool, now: Instant) -> Result<Option<Counts>, Error> {
    let ids: Vec<_> = of.iter().map(|section| section.id.get()).collect();
    if wanted { sections::article_counts(db, &ids, now).map(Some) } else { Ok(None) }
}

fn node(section: Section, counts: Option<&Counts>) -> SectionNode {
    let article_count = counts.map(|counts| counts.get(&section.id.get()).copied().unwrap_or(0));
    SectionNode { section, article_count, children: None }
}

/// The name of a path among all names: without the slash in front.
fn name_of(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// As [`get`], inside a transaction.
pub(super) fn find(db: &mut Db, reference: &Reference) -> Result<Section, Error> {
    let id = slugs::resolve_one(db, Entity::Section, reference)?;
    let section = sections::get(db, id)?;
    match reference {
        // It takes the place of one segment of the request's path.
        Reference::Slug(name) if name != name_of(&section.path) => {
            Err(Error::Moved { to: name_of(&section.path).replace('/', "%2F") })
        }
        _ => Ok(section),
    }
}

/// The section that a body or parameter refers to, by a present or former path; `None` if there is none.
fn referred(db: &mut Db, tree: &Tree, reference: &Reference) -> Result<Option<Section>, Error> {
    let id =
        slugs::resolve(db, Entity::Section, std::slice::from_ref(reference))?.into_iter().flatten().next();
    Ok(id.and_then(|id| tree.get(SectionId::new(id))).cloned())
}

/// The parent that a body names.
fn parent(db: &mut Db, tree: &Tree, reference: Option<&Reference>) -> Result<Option<Section>, Error> {
    let Some(reference) = reference else { return Ok(None) };
    match referred(db, tree, reference)? {
        Some(section) => Ok(Some(section)),
        None => Err(Error::invalid("/parent", "unknown_section", "there is no such section")),
    }
}

/// All sections, siblings in their order. Held under the lock of the tree.
struct Tree(Vec<Section>);

impl Tree {
    fn lock(db: &mut Db) -> Result<Self, Error> {
        sections::lock(db)?;
        sections::all(db).map(Self)
    }

    fn get(&self, id: SectionId) -> Option<&Section> {
        self.0.iter().find(|section| section.id == id)
    }

    /// The sections at and above a place, from the bottom up.
    fn line(&self, id: Option<SectionId>) -> impl Iterator<Item = SectionId> + '_ {
        std::iter::successors(id, |id| self.get(*id).and_then(|section| section.parent_id))
    }

    /// The keys of the lists that articles leave, and come to, when what holds them goes from one place to another.
    fn lists(&self, from: Option<SectionId>, to: Option<SectionId>) -> SurrogateKeys {
        let sections = self.line(from).chain(self.line(to));
        sections.fold(SurrogateKeys::default(), |keys, id| keys.articles_of(Entity::Section, id.get()))
    }

    fn children(&self, id: Option<SectionId>) -> Vec<Section> {
        self.0.iter().filter(|section| section.parent_id == id).cloned().collect()
    }

    /// A section and all below it, parents first.
    fn subtree(&self, root: &Section) -> Vec<Section> {
        let mut found = vec![root.clone()];
        let mut index = 0;
        while let Some(id) = found.get(index).map(|section| section.id) {
            found.extend(self.children(Some(id)));
            index += 1;
        }
        found
    }
}

/// How many sections a path goes through.
fn depth(path: &str) -> usize {
    path.matches('/').count()
}

/// Whether a section with what is below it still fits under a path.
fn fits(subtree: &[Section], parent_path: &str) -> bool {
    let top = subtree.first().map_or(0, |section| depth(&section.path));
    let bottom = subtree.iter().map(|section| depth(&section.path)).max().unwrap_or(0);
    depth(parent_path) + 1 + bottom - top <= MAX_DEPTH
}

fn too_deep() -> String {
    format!("sections may be at most {MAX_DEPTH} deep")
}

/// Puts a section at a place among its siblings, at the end if none is given, and makes room for it there. Tells the
/// place and which siblings had to move.
fn make_room(
    db: &mut Db,
    siblings: &[Section],
    id: SectionId,
    wanted: Option<i32>,
) -> Result<(i32, Vec<SectionId>), Error> {
    let others: Vec<_> = siblings.iter().filter(|section| section.id != id).collect();
    let place = wanted.and_then(|place| usize::try_from(place).ok()).unwrap_or(usize::MAX).min(others.len());
    let mut moved = Vec::new();
    for (index, sibling) in others.iter().enumerate() {
        let position = stored_position(if index < place { index } else { index + 1 });
        if sibling.position != position {
            sections::set_position(db, sibling.id, position)?;
            moved.push(sibling.id);
        }
    }
    Ok((stored_position(place), moved))
}

fn stored_position(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

/// Claims the paths of what lies below a section that was moved or renamed, writes them, and tells the change of each.
fn rewrite_descendants(
    db: &mut Db,
    subtree: &[Section],
    new_root_path: &str,
    now: Instant,
    user: UserId,
) -> Result<(), Error> {
    let Some((root, below)) = subtree.split_first() else { return Ok(()) };
    for section in below {
        let rest = section.path.strip_prefix(&root.path).unwrap_or_default();
        let new = Section {
            path: format!("{new_root_path}{rest}"),
            version: section.version + 1,
            updated_at: now,
            ..section.clone()
        };
        rewrite(db, section, &new, SurrogateKeys::default(), user)?;
    }
    Ok(())
}

/// Writes one section over what it was. Its old path redirects to the new one. `also` is what changes with it.
fn rewrite(
    db: &mut Db,
    old: &Section,
    new: &Section,
    also: SurrogateKeys,
    user: UserId,
) -> Result<(), Error> {
    let id = new.id.get();
    slugs::claim(db, Entity::Section, name_of(&new.path), id, true)?;
    if !sections::update(db, new)? {
        return Err(Error::Stale { current_version: old.version + 1, changed: Vec::new() });
    }
    let old_path = (old.path != new.path).then(|| old.path.clone());
    let path = Some(new.path.clone());
    let mut change =
        taxonomy_change(ChangeKind::Updated, Entity::Section, id, path, old_path, new.updated_at, user);
    change.surrogate_keys.extend(also.texts());
    changes::record(db, &change)
}

/// The surrogate keys of siblings that were moved.
fn keys(moved: &[SectionId]) -> SurrogateKeys {
    moved.iter().fold(SurrogateKeys::default(), |keys, id| keys.one(Entity::Section, id.get()))
}

/// The slug that was asked for, or one made of the name whose path nothing has.
fn slug_under(db: &mut Db, parent_path: &str, slug: Option<Slug>, name: &str) -> Result<Slug, Error> {
    if let Some(slug) = slug {
        return Ok(slug);
    }
    let Some(wanted) = Slug::from_text(name) else {
        return Err(Error::invalid("/slug", "required", "is required, since none can be made of the name"));
    };
    let mut candidate = wanted.clone();
    for number in 2.. {
        let path = Reference::Slug(name_of(&format!("{parent_path}/{candidate}")).to_owned());
        if slugs::resolve(db, Entity::Section, &[path])?.into_iter().flatten().next().is_none() {
            break;
        }
        candidate = wanted.numbered(number);
    }
    Ok(candidate)
}

/// Makes a section.
///
/// # Errors
/// 409 if the path belongs to another; 422 if there is no such parent, it lies too deep, or no slug can be made of the
/// name.
pub async fn create(
    newsroom: &Newsroom,
    principal: &Principal,
    changes: SectionChanges,
) -> Result<Section, Error> {
    let user = require(principal, Action::EditTaxonomy)?.id;
    let (now, id) = (newsroom.clock.now(), newsroom.ids.next());
    newsroom
        .store
        .write(move |db| {
            let tree = Tree::lock(db)?;
            let parent = parent(db, &tree, changes.parent.flatten().as_ref())?;
            let parent_path = parent.as_ref().map_or("", |parent| parent.path.as_str());
            if depth(parent_path) >= MAX_DEPTH {
                return Err(Error::invalid("/parent", "too_deep", too_deep()));
            }
            let name = changes.name.unwrap_or_default();
            let slug = slug_under(db, parent_path, changes.slug, &name)?;
            let parent_id = parent.as_ref().map(|parent| parent.id);
            let siblings = tree.children(parent_id);
            let (position, moved) = make_room(db, &siblings, SectionId::new(id), changes.position)?;
            let section = Section {
                id: SectionId::new(id),
                parent_id,
                path: format!("{parent_path}/{slug}"),
                slug,
                name,
                description: changes.description.flatten(),
                seo: changes.seo.unwrap_or_default(),
                position,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            slugs::claim(db, Entity::Section, name_of(&section.path), id, true)?;
            sections::insert(db, &section)?;
            let path = Some(section.path.clone());
            let mut change = taxonomy_change(ChangeKind::Created, Entity::Section, id, path, None, now, user);
            change.surrogate_keys.extend(keys(&moved).texts());
            changes::record(db, &change)?;
            Ok(section)
        })
        .await
}

/// Edits a section. A new slug or parent changes the paths of all below it as well; the old paths redirect.
///
/// # Errors
/// 404, 409 if a new path belongs to another, 412 if `version` is given and stale, 422 for a parent that is unknown, lies
/// below the section or too deep.
pub async fn update(
    newsroom: &Newsroom,
    principal: &Principal,
    reference: Reference,
    version: Option<i64>,
    changes: SectionChanges,
) -> Result<Section, Error> {
    let user = require(principal, Action::EditTaxonomy)?.id;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let tree = Tree::lock(db)?;
            let old = find(db, &reference)?;
            check_version(version, old.version)?;
            let subtree = tree.subtree(&old);
            let parent = match &changes.parent {
                None => old.parent_id.and_then(|id| tree.get(id)).cloned(),
                Some(reference) => parent(db, &tree, reference.as_ref())?,
            };
            let parent_id = parent.as_ref().map(|parent| parent.id);
            let parent_path = parent.as_ref().map_or("", |parent| parent.path.as_str());
            if subtree.iter().any(|section| Some(section.id) == parent_id) {
                return Err(Error::invalid(
                    "/parent",
                    "cycle",
                    "must not be the section itself or one below it",
                ));
            }
            if !fits(&subtree, parent_path) {
                return Err(Error::invalid("/parent", "too_deep", too_deep()));
            }
            let is_moved = parent_id != old.parent_id;
            let mut moved = Vec::new();
            let mut position = old.position;
            if is_moved || changes.position.is_some() {
                (position, moved) = make_room(db, &tree.children(parent_id), old.id, changes.position)?;
            }
            let slug = changes.slug.unwrap_or_else(|| old.slug.clone());
            let new = Section {
                id: old.id,
                parent_id,
                path: format!("{parent_path}/{slug}"),
                slug,
                name: changes.name.unwrap_or_else(|| old.name.clone()),
                description: changes.description.unwrap_or_else(|| old.description.clone()),
                seo: changes.seo.unwrap_or_else(|| old.seo.clone()),
                position,
                version: old.version + 1,
                created_at: old.created_at,
                updated_at: now,
            };
            let mut also = keys(&moved);
            if is_moved {
                also = also.and(tree.lists(old.parent_id, parent_id));
            }
            rewrite(db, &old, &new, also, user)?;
            if old.path != new.path {
                rewrite_descendants(db, &subtree, &new.path, now, user)?;
            }
            if is_moved {
                let ids: Vec<_> = subtree.iter().map(|section| section.id.get()).collect();
                sections::rebuild_facets(db, &ids)?;
            }
            Ok(new)
        })
        .await
}

/// Deletes a section. With `move_to`, its articles and children go there, and its path redirects there.
///
/// # Errors
/// 404; 409 `in_use` if there are articles or children and no `move_to`; 400 for a `move_to` that is unknown, the section
/// itself, below it, or too deep for the children; 409 if a child's new path belongs to another.
pub async fn delete(
    newsroom: &Newsroom,
    principal: &Principal,
    reference: Reference,
    move_to: Option<Reference>,
) -> Result<(), Error> {
    let user = require(principal, Action::EditTaxonomy)?.id;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let tree = Tree::lock(db)?;
            let section = find(db, &reference)?;
            let id = section.id.get();
            let target = match move_to {
                Some(target) => Some(move_into(db, &tree, &section, &target, now, user)?),
                None if !tree.children(Some(section.id)).is_empty()
                    || sections::has_articles(db, section.id)? =>
                {
                    let detail =
                        "The section has articles or sections in it. Delete with ?move_to= to move them.";
                    return Err(Error::Other(ErrorCode::InUse, detail.to_owned()));
                }
                None => {
                    slugs::forget(db, Entity::Section, id)?;
                    None
                }
            };
            sections::delete(db, section.id)?;
            let path = target.as_ref().map(|target| target.path.clone());
            let old_path = Some(section.path.clone());
            let mut change =
                taxonomy_change(ChangeKind::Removed, Entity::Section, id, path, old_path, now, user);
            if let Some(target) = target {
                let keys = tree.lists(section.parent_id, Some(target.id));
                change.surrogate_keys.extend(keys.one(Entity::Section, target.id.get()).texts());
            }
            changes::record(db, &change)
        })
        .await
}

/// Moves all that is in a section, and its names, into another.
fn move_into(
    db: &mut Db,
    tree: &Tree,
    from: &Section,
    target: &Reference,
    now: Instant,
    user: UserId,
) -> Result<Section, Error> {
    let fault = |code, message: String| Err(Error::invalid_parameter("move_to", code, message));
    let Some(target) = referred(db, tree, target)? else {
        return fault("unknown_section", "there is no such section".to_owned());
    };
    if tree.subtree(from).iter().any(|section| section.id == target.id) {
        return fault("cycle", "must not be the section itself or one below it".to_owned());
    }
    let mut affected = vec![target.id.get()];
    let end =
        tree.children(Some(target.id)).iter().map(|child| child.position).max().map_or(0, |last| last + 1);
    for (index, child) in tree.children(Some(from.id)).into_iter().enumerate() {
        let subtree = tree.subtree(&child);
        if !fits(&subtree, &target.path) {
            return fault("too_deep", too_deep());
        }
        let new = Section {
            parent_id: Some(target.id),
            path: format!("{}/{}", target.path, child.slug),
            position: end.saturating_add(stored_position(index)),
            version: child.version + 1,
            updated_at: now,
            ..child.clone()
        };
        // The lists that its articles leave and come to are told with the section that it was in.
        rewrite(db, &child, &new, SurrogateKeys::default(), user)?;
        rewrite_descendants(db, &subtree, &new.path, now, user)?;
        affected.extend(subtree.iter().map(|section| section.id.get()));
    }
    sections::move_articles(db, from.id, target.id)?;
    sections::rebuild_facets(db, &affected)?;
    slugs::repoint(db, Entity::Section, from.id.get(), target.id.get())?;
    Ok(target)
}
