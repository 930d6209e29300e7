//! Write the body of a draft: the whole, a section, a block.

use super::{
    ArticleView, EditRequest,
    edit::{Edit, edit, reorder, update},
};
use crate::{
    domain::{
        article::DocumentChanges,
        body::{Block, BlockDraft, BodySection, BodySectionDraft, Builder},
        error::Error,
        id::{BlockId, BodySectionId, LinkId},
    },
    service::Newsroom,
};

impl Edit<'_> {
    fn section_index(&self, id: BodySectionId) -> Result<usize, Error> {
        let found = self.document.body.iter().position(|section| section.id == id);
        found.ok_or_else(|| Error::not_found("section of the body"))
    }

    fn block_index(&self, id: BlockId) -> Result<(usize, usize), Error> {
        let sections = self.document.body.iter().enumerate();
        let found = sections.filter_map(|(index, section)| {
            section.blocks.iter().position(|block| block.id == id).map(|block| (index, block))
        });
        found.into_iter().next().ok_or_else(|| Error::not_found("block"))
    }
}

/// Writes the whole body.
///
/// # Errors
/// As [`update`].
pub async fn edit_body(
    newsroom: &Newsroom,
    on: EditRequest,
    sections: Vec<BodySectionDraft>,
) -> Result<ArticleView, Error> {
    let changes = DocumentChanges { body: Some(sections), ..DocumentChanges::default() };
    update(newsroom, on, changes).await
}

/// Inserts a section at a place, from 0; at the end if none is given.
///
/// # Errors
/// As [`update`].
pub async fn insert_section(
    newsroom: &Newsroom,
    on: EditRequest,
    position: Option<usize>,
    section: BodySectionDraft,
) -> Result<(ArticleView, BodySectionId), Error> {
    edit(newsroom, on, move |edit| {
        let mut builder = edit.builder();
        let section = builder.section("", section);
        let Builder { new_links, mut faults, .. } = builder;
        let id = section.id;
        let position = position.unwrap_or(usize::MAX).min(edit.document.body.len());
        edit.document.body.insert(position, section);
        edit.add_links(&mut faults, new_links)?;
        faults.check().map(|()| id)
    })
    .await
}

/// Writes a section over the one with this id. `write` gets what is there.
///
/// # Errors
/// As [`update`].
pub async fn replace_section(
    newsroom: &Newsroom,
    on: EditRequest,
    id: BodySectionId,
    write: impl FnOnce(&BodySection<LinkId>) -> BodySectionDraft + Send + 'static,
) -> Result<ArticleView, Error> {
    let replaced = edit(newsroom, on, move |edit| {
        let index = edit.section_index(id)?;
        let draft = write(&edit.document.body[index]);
        let mut builder = edit.builder();
        let section = builder.section("", BodySectionDraft { id: Some(id), ..draft });
        let Builder { new_links, mut faults, .. } = builder;
        edit.document.body[index] = section;
        edit.add_links(&mut faults, new_links)?;
        faults.check()
    });
    replaced.await.map(|(view, ())| view)
}

/// Takes a section out with its blocks and their links.
///
/// # Errors
/// As [`update`].
pub async fn delete_section(
    newsroom: &Newsroom,
    on: EditRequest,
    id: BodySectionId,
) -> Result<ArticleView, Error> {
    let deleted = edit(newsroom, on, move |edit| {
        let index = edit.section_index(id)?;
        edit.document.body.remove(index);
        Ok(())
    });
    deleted.await.map(|(view, ())| view)
}

/// Puts the sections into another order; all must be named once.
///
/// # Errors
/// As [`update`].
pub async fn order_sections(
    newsroom: &Newsroom,
    on: EditRequest,
    order: Vec<BodySectionId>,
) -> Result<ArticleView, Error> {
    let ordered =
        edit(newsroom, on, move |edit| reorder(&mut edit.document.body, &order, |section| section.id));
    ordered.await.map(|(view, ())| view)
}

/// Where a block goes.
#[derive(Debug, Clone, Copy)]
pub struct BlockPlace {
    /// Into this section.
    pub section: BodySectionId,
    /// At this place, from 0; at the end if none is given.
    pub position: Option<usize>,
}

/// Inserts a block.
///
/// # Errors
/// As [`update`].
pub async fn insert_block(
    newsroom: &Newsroom,
    on: EditRequest,
    place: BlockPlace,
    block: BlockDraft,
) -> Result<(ArticleView, BlockId), Error> {
    edit(newsroom, on, move |edit| {
        let index = edit.section_index(place.section)?;
        let mut builder = edit.builder();
        let block = builder.block("", block);
        let Builder { new_links, mut faults, .. } = builder;
        let id = block.id;
        let blocks = &mut edit.document.body[index].blocks;
        blocks.insert(place.position.unwrap_or(usize::MAX).min(blocks.len()), block);
        edit.add_links(&mut faults, new_links)?;
        faults.check().map(|()| id)
    })
    .await
}

/// Writes a block over the one with this id. `write` gets what is there.
///
/// # Errors
/// As [`update`], and those of `write`.
pub async fn replace_block(
    newsroom: &Newsroom,
    on: EditRequest,
    id: BlockId,
    write: impl FnOnce(&Block<LinkId>) -> Result<BlockDraft, Error> + Send + 'static,
) -> Result<ArticleView, Error> {
    let replaced = edit(newsroom, on, move |edit| {
        let (section, block) = edit.block_index(id)?;
        let draft = write(&edit.document.body[section].blocks[block])?;
        let mut builder = edit.builder();
        let new = builder.block("", BlockDraft { id: Some(id), ..draft });
        let Builder { new_links, mut faults, .. } = builder;
        edit.document.body[section].blocks[block] = new;
        edit.add_links(&mut faults, new_links)?;
        faults.check()
    });
    replaced.await.map(|(view, ())| view)
}

/// Takes a block out, and its link if it is a `read_more`.
///
/// # Errors
/// As [`update`].
pub async fn delete_block(newsroom: &Newsroom, on: EditRequest, id: BlockId) -> Result<ArticleView, Error> {
    let deleted = edit(newsroom, on, move |edit| {
        let (section, block) = edit.block_index(id)?;
        edit.document.body[section].blocks.remove(block);
        Ok(())
    });
    deleted.await.map(|(view, ())| view)
}
