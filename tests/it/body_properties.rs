//! Whatever is done to a body in whatever order, what holds for bodies goes on to hold.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{paragraph, path_of, read_more},
};

/// One edit; the numbers choose among what is there.
#[derive(Debug, Clone)]
enum Edit {
    InsertSection { place: usize, heading: Option<&'static str>, with_link: bool },
    PatchHeading { section: usize, heading: Option<&'static str> },
    DeleteSection { section: usize },
    Reverse,
    InsertBlock { section: usize, place: usize, is_link: bool },
    TurnBlock { block: usize, to_link: bool },
    DeleteBlock { block: usize },
    LinkAfter { block: usize },
    DeleteLink { link: usize },
    WriteBack,
    Publish,
}

fn heading() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![None, Some("What next"), Some("What next"), Some("Élan vital"), Some("!!!")])
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => (0..4usize, heading(), any::<bool>())
            .prop_map(|(place, heading, with_link)| Edit::InsertSection { place, heading, with_link }),
        2 => (0..9usize, heading()).prop_map(|(section, heading)| Edit::PatchHeading { section, heading }),
        1 => (0..9usize).prop_map(|section| Edit::DeleteSection { section }),
        1 => Just(Edit::Reverse),
        3 => (0..9usize, 0..4usize, any::<bool>())
            .prop_map(|(section, place, is_link)| Edit::InsertBlock { section, place, is_link }),
        2 => (0..20usize, any::<bool>()).prop_map(|(block, to_link)| Edit::TurnBlock { block, to_link }),
        1 => (0..20usize).prop_map(|block| Edit::DeleteBlock { block }),
        2 => (0..20usize).prop_map(|block| Edit::LinkAfter { block }),
        1 => (0..20usize).prop_map(|link| Edit::DeleteLink { link }),
        1 => Just(Edit::WriteBack),
        1 => Just(Edit::Publish),
    ]
}

/// The id of one of these things, if there is any.
fn one_of(things: &[&Value], number: usize) -> Option<String> {
    let index = number.checked_rem(things.len())?;
    things[index]["id"].as_str().map(str::to_owned)
}

fn sections(article: &Value) -> Vec<&Value> {
    article["body"].as_array().unwrap().iter().collect()
}

fn blocks(article: &Value) -> Vec<&Value> {
    sections(article).into_iter().flat_map(|section| section["blocks"].as_array().unwrap()).collect()
}

fn links(article: &Value) -> Vec<&Value> {
    article["related"].as_array().unwrap().iter().collect()
}

/// Does it; `None` if there is nothing to do it to.
async fn apply(client: &Client, path: &str, target: &Answer, article: &Value, edit: &Edit) -> Option<Value> {
    let block = |is_link| if is_link { read_more(target) } else { paragraph("Text.") };
    let section = |number| one_of(&sections(article), number);
    let known_block = |number| one_of(&blocks(article), number);
    let answer = match edit {
        Edit::InsertSection { place, heading, with_link } => {
            let section = json!({"heading": heading, "blocks": [block(*with_link), paragraph("Text.")]});
            client
                .post(&format!("{path}/body"), json!({"position": place, "section": section}))
                .await
                .expect(201)
        }
        Edit::PatchHeading { section: number, heading } => {
            let url = format!("{path}/body/{}", section(*number)?);
            client.patch(&url, json!({ "heading": heading })).await.expect(200)
        }
        Edit::DeleteSection { section: number } => {
            client.delete(&format!("{path}/body/{}", section(*number)?)).await.expect(200)
        }
        Edit::Reverse => {
            let order: Vec<_> = sections(article).into_iter().rev().map(|section| &section["id"]).collect();
            client.put(&format!("{path}/body/order"), json!({ "order": order })).await.expect(200)
        }
        Edit::InsertBlock { section: number, place, is_link } => {
            let url = format!("{path}/body/{}/blocks", section(*number)?);
            client.post(&url, json!({"position": place, "block": block(*is_link)})).await.expect(201)
        }
        Edit::TurnBlock { block: number, to_link } => {
            let url = format!("{path}/blocks/{}", known_block(*number)?);
            client.patch(&url, block(*to_link)).await.expect(200)
        }
        Edit::DeleteBlock { block } => {
            client.delete(&format!("{path}/blocks/{}", known_block(*block)?)).await.expect(200)
        }
        Edit::LinkAfter { block } => {
            let link = json!({"target": {"article_id": target.id()}, "after_block": known_block(*block)?});
            client.post(&format!("{path}/links"), link).await.expect(201)
        }
        Edit::DeleteLink { link } => {
            let url = format!("{path}/links/{}", one_of(&links(article), *link)?);
            client.delete(&url).await.expect(200)
        }
        Edit::WriteBack => {
            let written =
                client.put(&format!("{path}/body"), json!({"body": article["body"]})).await.expect(200);
            assert_eq!(written.json["body"], article["body"]);
            assert_eq!(written.json["version"], article["version"]);
            written
        }
        Edit::Publish if blocks(article).is_empty() => return None,
        Edit::Publish => client.act(&format!("{path}/publish")).await.expect(200),
    };
    Some(answer.json)
}

/// What holds for every body.
fn check(article: &Value, done: &[Edit]) {
    let unique = |values: Vec<&Value>| {
        let texts: BTreeSet<_> = values.iter().map(|value| value.as_str().unwrap()).collect();
        assert_eq!(texts.len(), values.len(), "{done:?}: {article:#}");
    };
    unique(sections(article).iter().map(|section| &section["id"]).collect());
    unique(blocks(article).iter().map(|block| &block["id"]).collect());
    unique(links(article).iter().map(|link| &link["id"]).collect());
    unique(sections(article).iter().map(|section| &section["anchor"]).collect());
    let in_body: BTreeSet<_> = blocks(article)
        .into_iter()
        .filter(|block| block["type"] == "read_more")
        .map(|block| (block["link"]["id"].to_string(), block["id"].to_string()))
        .collect();
    let in_links: BTreeSet<_> =
        links(article).iter().map(|link| (link["id"].to_string(), link["block_id"].to_string())).collect();
    assert_eq!(in_body, in_links, "{done:?}: {article:#}");
}

#[actix_web::test]
async fn edits_in_any_order_keep_ids_anchors_and_links_sound() {
    let app = TestApp::start().await;
    let client = app.bold_editor().await;
    let target = app.published("Target").await;
    let mut runner = TestRunner::new(Config::default());
    let sequences = prop::collection::vec(edit(), 5..25);
    for _ in 0..12 {
        let sequence = sequences.new_tree(&mut runner).unwrap().current();
        let made = app.draft("Source").await;
        let (path, mut article) = (path_of(&made), made.json);
        let mut anchors = Vec::new();
        for (index, edit) in sequence.iter().enumerate() {
            let Some(edited) = apply(&client, &path, &target, &article, edit).await else { continue };
            article = edited;
            check(&article, &sequence[..=index]);
            // An anchor that was published stays with its section.
            anchors.retain(|(id, _)| sections(&article).iter().any(|section| section["id"] == *id));
            for (id, anchor) in &anchors {
                let section = sections(&article).into_iter().find(|section| section["id"] == *id).unwrap();
                assert_eq!(section["anchor"], *anchor, "{:?}", &sequence[..=index]);
            }
            if matches!(edit, Edit::Publish) {
                let known = sections(&article).into_iter();
                anchors = known.map(|section| (section["id"].clone(), section["anchor"].clone())).collect();
            }
        }
    }
}
