//! What tests need in a newsroom before they begin.

use serde_json::{Value, json};

use crate::app::{Answer, Client, TestApp};

/// The path of an article in the API, by what came back when it was made or edited.
pub fn path_of(article: &Answer) -> String {
    format!("/v1/articles/{}", article.id())
}

/// One paragraph.
pub fn paragraph(html: &str) -> Value {
    json!({"type": "paragraph", "html": html})
}

/// A `read_more` block to an article.
pub fn read_more(target: &Answer) -> Value {
    json!({"type": "read_more", "link": {"target": {"article_id": target.id()}}})
}

/// Every string at a member of each item of a JSON list.
pub fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[member].as_str().unwrap_or_default()).collect()
}

impl TestApp {
    /// The id of the section at this path, which is made with those above it unless it is there.
    pub async fn section(&self, path: &str) -> String {
        let editor = self.editor().await;
        let (mut parent, mut id) = (Value::Null, String::new());
        let mut whole = String::new();
        for slug in path.trim_matches('/').split('/') {
            whole = if whole.is_empty() { slug.to_owned() } else { format!("{whole}%2F{slug}") };
            let found = editor.get(&format!("/v1/sections/{whole}")).await;
            id = if found.status == 200 {
                found.id()
            } else {
                let wanted = json!({"name": slug, "slug": slug, "parent": parent});
                editor.post("/v1/sections", wanted).await.expect(201).id()
            };
            parent = id.clone().into();
        }
        id
    }

    /// A draft of this client that could be published: in the section "city", with one paragraph; `members` go over
    /// that.
    pub async fn draft_of(&self, client: &Client, headline: &str, members: Value) -> Answer {
        self.section("city").await;
        let blocks = json!([paragraph("The bridge reopened on Monday.")]);
        let mut article = json!({"headline": headline, "section": "city", "body": [{"blocks": blocks}]});
        for (name, value) in members.as_object().unwrap() {
            article[name] = value.clone();
        }
        client.post("/v1/articles", article).await.expect(201)
    }

    /// A draft of the editor.
    pub async fn draft(&self, headline: &str) -> Answer {
        self.draft_of(&self.editor().await, headline, json!({})).await
    }

    /// An article of the editor that readers see.
    pub async fn published(&self, headline: &str) -> Answer {
        self.published_with(headline, json!({})).await
    }

    /// An article of the editor, with these members, that readers see.
    pub async fn published_with(&self, headline: &str, members: Value) -> Answer {
        let editor = self.editor().await;
        let draft = self.draft_of(&editor, headline, members).await;
        editor.act(&format!("{}/publish", path_of(&draft))).await.expect(200)
    }

    /// The editor, who builds on whatever is there.
    pub async fn bold_editor(&self) -> Client {
        self.editor().await.if_match("*")
    }
}
