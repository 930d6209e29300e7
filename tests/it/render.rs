//! Bodies as HTML, plain text and Markdown.

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};
use masthead::{
    domain::{
        body::{Block, BlockContent, Body, BodySection, ImageFile},
        id::{BlockId, BodySectionId, LinkId},
    },
    render::{Context, html, markdown, text},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::RefCell;

use crate::{
    app::TestApp,
    newsroom::{paragraph, path_of, read_more},
    spec::operations,
};

/// Reads HTML strictly: every element is closed in order, every attribute is one that may stand there.
#[derive(Default)]
struct Reader {
    open: Vec<String>,
    /// The number of the last item of each open list.
    lists: Vec<Option<usize>>,
    text: String,
    faults: Vec<String>,
}

#[derive(Default)]
struct Sink(RefCell<Reader>);

const INLINE: [&str; 11] = ["a", "em", "strong", "code", "sub", "sup", "s", "mark", "span", "small", "cite"];

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reader = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => reader.text.push_str(&text),
            Token::TagToken(tag) => {
                let name = tag.name.to_string();
                if !INLINE.contains(&name.as_str()) {
                    reader.text.push(' ');
                }
                if let Some(bad) = tag.attrs.iter().find(|known| {
                    let known: &str = &known.name.local;
                    !["id", "class", "href", "src", "alt", "width", "height", "cite", "scope", "lang"]
                        .contains(&known)
                }) {
                    reader.faults.push(format!("{bad:?}"));
                }
                if ["script", "style", "iframe", "object"].contains(&name.as_str()) {
                    reader.faults.push(name.clone());
                }
                match (tag.kind, name.as_str()) {
                    (TagKind::StartTag, "br" | "img" | "hr") => {}
                    (TagKind::StartTag, _) => {
                        match name.as_str() {
                            "ol" => reader.lists.push(Some(0)),
                            "ul" => reader.lists.push(None),
                            "li" => {
                                if let Some(Some(number)) = reader.lists.last_mut() {
                                    *number += 1;
                                    let number = *number;
                                    reader.text.push_str(&format!("{number}. "));
                                }
                            }
                            _ => {}
                        }
                        reader.open.push(name);
                    }
                    (TagKind::EndTag, _) => {
                        if ["ol", "ul"].contains(&name.as_str()) {
                            reader.lists.pop();
                        }
                        if reader.open.pop().as_ref() != Some(&name) {
                            reader.faults.push(format!("</{name}> closes nothing"));
                        }
                    }
                }
            }
            Token::EOFToken => {
                let open = std::mem::take(&mut reader.open);
                reader.faults.extend(open);
            }
            Token::ParseError(error) => reader.faults.push(error.to_string()),
            other => reader.faults.push(format!("{other:?}")),
        }
        TokenSinkResult::Continue
    }
}

/// The text of HTML, and what is not well-formed in it.
fn read(html: &str) -> (String, Vec<String>) {
    let tokenizer =
        Tokenizer::new(Sink::default(), TokenizerOpts { exact_errors: true, ..Default::default() });
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let reader = tokenizer.sink.0.into_inner();
    (reader.text, reader.faults)
}

/// What has a letter or a digit.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).collect()
}

fn plain() -> impl Strategy<Value = String> {
    "[a-z0-9<>&\"'\\]\\[*_`|.\u{1}\u{8}\u{fffe}\u{5d0}é😀 -]{1,20}"
}

fn inline() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        plain(),
        Just("<em>b</em>".to_owned()),
        Just("<strong> c d</strong>".to_owned()),
        Just("<a href=\"/x?a=1&amp;b=\">e</a>".to_owned()),
        Just("<span lang=\"he\">\u{5e9}</span><br>".to_owned()),
        Just("<code>f`g</code>".to_owned()),
        Just("<script>alert(1)</script>".to_owned()),
        Just("<em><a href='x'>".to_owned()),
        Just("]]>&amp;lt;".to_owned()),
    ];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

fn block() -> impl Strategy<Value = BlockContent<LinkId>> {
    let some = || prop::option::of(plain());
    prop_oneof![
        inline().prop_map(|html| BlockContent::Paragraph { html }),
        inline().prop_map(|html| BlockContent::KeyPoint { html }),
        (inline(), some()).prop_map(|(html, cite)| BlockContent::Quote { html, cite }),
        (inline(), some()).prop_map(|(html, cite)| BlockContent::PullQuote { html, cite }),
        (some(), some(), some()).prop_map(|(alt, caption, credit)| BlockContent::Image {
            media: ImageFile {
                url: "https://images.example/a.jpg?b=1&c=<".to_owned(),
                width: Some(1),
                height: None
            },
            alt,
            caption,
            credit,
        }),
        (any::<bool>(), prop::collection::vec(inline(), 1..4))
            .prop_map(|(ordered, items)| BlockContent::List { ordered, items }),
        (some(), prop::collection::vec(inline(), 2), prop::collection::vec(inline(), 2))
            .prop_map(|(caption, header, row)| BlockContent::Table { caption, header, rows: vec![row] }),
        (some(), some()).prop_map(|(provider, title)| BlockContent::Embed {
            url: "https://video.example/\"a".to_owned(),
            provider,
            title
        }),
        (some(), plain()).prop_map(|(language, code)| BlockContent::Code { language, code }),
        Just(BlockContent::Divider {}),
        Just(BlockContent::ReadMore { link: LinkId::new(1) }),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    let section = (prop::option::of(plain()), 0..9u8, prop::collection::vec(block(), 0..5));
    prop::collection::vec(section, 0..4).prop_map(|sections| {
        let section = |(heading, level, blocks): (Option<String>, u8, Vec<_>)| BodySection {
            id: BodySectionId::new(1),
            heading,
            level,
            anchor: "an-anchor".to_owned(),
            blocks: blocks.into_iter().map(|content| Block { id: BlockId::new(1), content }).collect(),
        };
        sections.into_iter().map(section).collect()
    })
}

proptest! {
    #[test]
    fn any_body_becomes_well_formed_html_with_the_words_of_the_text(body in body()) {
        let html = html::body(&body, Context::default());
        let (found, faults) = read(&html);
        prop_assert!(faults.is_empty(), "{faults:?}: {html}");
        let text = text::body(&body, Context::default());
        prop_assert_eq!(words(&found), words(&text), "{}", html);
        for written in [html, text, markdown::body(&body, Context::default())] {
            let is_odd = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{fffe}';
            prop_assert!(!written.contains(is_odd), "{:?}", written);
        }
    }
}

/// A body with a block of each kind.
fn every_block() -> Value {
    json!([
        {"blocks": [paragraph("A <em>b</em> &amp; <a href=\"/c?d&amp;e\">f</a> 1 &lt; 2 ]]&gt;<br>\u{5e9}\u{5dc} 😀")]},
        {"heading": "What <next> & *why*", "level": 3, "blocks": [
            {"type": "image", "media": {"url": "https://images.example/a.jpg", "width": 800, "height": 600},
             "alt": "A \"bridge\"", "caption": "The bridge", "credit": "Ada"},
            {"type": "quote", "html": "So be it", "cite": "The mayor"},
            {"type": "pull_quote", "html": "So!"},
            {"type": "list", "ordered": true, "items": ["one", "two"]},
            {"type": "list", "ordered": true, "items": ["three"]},
            {"type": "table", "caption": "Tolls", "header": ["Who", "How much"], "rows": [["Cars", "2|3"]]},
            {"type": "embed", "url": "https://video.example/1?a&b", "provider": "Video", "title": "The opening"},
            {"type": "code", "language": "html", "code": "<script>alert(`1`)</script>"},
            {"type": "divider"},
            {"type": "key_point", "html": "It is open"},
        ]},
    ])
}

#[actix_web::test]
async fn every_block_is_written_in_every_format() {
    let app = TestApp::start().await;
    let target = app.published("Target & more").await;
    let mut blocks = every_block();
    blocks[1]["blocks"].as_array_mut().unwrap().push(read_more(&target));
    let article = app.published_with("Source", json!({ "body": blocks })).await;
    let path = path_of(&article);
    let body = async |format: &str| {
        let answer = app.anonymous().get(&format!("{path}?body_format={format}")).await.expect(200);
        answer.json["body"].as_str().unwrap().to_owned()
    };
    let html = body("html").await;
    assert_eq!(read(&html).1, Vec::<String>::new(), "{html}");
    let first = article.json["body"][0]["anchor"].as_str().unwrap();
    let url = target.json["url"].as_str().unwrap();
    for expected in [
        &format!(
            "<section id=\"{first}\">\n<p>A <em>b</em> &amp; <a href=\"/c?d&amp;e\">f</a> 1 &lt; 2 ]]&gt;<br>\u{5e9}\u{5dc} 😀</p></section>"
        ),
        "<section id=\"what-next-why\"><h3>What &lt;next&gt; &amp; *why*</h3>",
        "<figure><img src=\"https://images.example/a.jpg\" alt=\"A &quot;bridge&quot;\" width=\"800\" height=\"600\">\
         <figcaption>The bridge <small>Ada</small></figcaption></figure>",
        "<figure class=\"quote\"><blockquote><p>So be it</p></blockquote><figcaption>The mayor</figcaption></figure>",
        "<aside class=\"pull-quote\"><p>So!</p></aside>",
        "<ol><li>one</li><li>two</li></ol>",
        "<table><caption>Tolls</caption><thead><tr><th scope=\"col\">Who</th>",
        "<figure class=\"embed\"><a href=\"https://video.example/1?a&amp;b\">The opening</a><figcaption>Video</figcaption></figure>",
        "<pre><code class=\"language-html\">&lt;script&gt;alert(`1`)&lt;/script&gt;</code></pre>",
        "<hr>",
        "<p class=\"key-point\">It is open</p>",
        &format!("<aside class=\"read-more\">Read More: <a href=\"{url}\">Target &amp; more</a></aside>"),
    ] {
        assert!(html.contains(expected), "{expected}\nis not in\n{html}");
    }
    assert_eq!(
        body("text").await,
        "A b & f 1 < 2 ]]>\n\u{5e9}\u{5dc} 😀\n\nWhat <next> & *why*\n\nThe bridge\nAda\n\nSo be it\nThe mayor\n\nSo!\n\n\
         1. one\n2. two\n\n1. three\n\nTolls\nWho\tHow much\nCars\t2|3\n\nThe opening\nVideo\n\n\
         <script>alert(`1`)</script>\n\n* * *\n\nIt is open\n\nRead More: Target & more"
    );
    assert_eq!(
        body("markdown").await,
        format!(
            "A *b* \\& [f](/c?d&amp;e) 1 \\< 2 \\]\\]\\>\\\n\u{5e9}\u{5dc} 😀\n\n### What \\<next\\> \\& \\*why\\*\n\n\
             ![A \"bridge\"](https://images.example/a.jpg)\n\nThe bridge\n\nAda\n\n> So be it\n>\n> — The mayor\n\n> So!\n\n\
             1. one\n2. two\n\n1) three\n\nTolls\n\n| Who | How much |\n| --- | --- |\n| Cars | 2\\|3 |\n\n\
             [The opening](https://video.example/1?a&amp;b)\n\nVideo\n\n```html\n<script>alert(`1`)</script>\n```\n\n***\n\n\
             It is open\n\nRead More: [Target \\& more]({url})"
        )
    );
    let blocks = app.anonymous().get(&format!("{path}?body_format=blocks")).await.expect(200);
    assert_eq!(blocks.json["body"][0]["blocks"][0]["type"], "paragraph");
    let refused = app.anonymous().get(&format!("{path}?body_format=pdf")).await;
    refused.problem(400, "invalid_parameter").fault("body_format", "not_allowed");
}

#[actix_web::test]
async fn links_that_readers_cannot_follow_are_left_out_of_every_format() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let target = app.draft("Secret target").await;
    let draft = app
        .draft_of(&editor, "Source", json!({"body": [{"blocks": [paragraph("Text."), read_more(&target)]}]}))
        .await;
    let path = path_of(&draft);
    editor.act(&format!("{path}/publish")).await;
    for format in ["html", "text", "markdown"] {
        let seen = app.anonymous().get(&format!("{path}?body_format={format}")).await.expect(200);
        assert!(!seen.text.contains("Secret") && seen.text.contains("Text"), "{}", seen.text);
        // Editors are shown it, also in the draft.
        for stage in ["live", "draft"] {
            let seen = editor.get(&format!("{path}?body_format={format}&stage={stage}")).await.expect(200);
            assert!(seen.json["body"].as_str().unwrap().contains("Secret"), "{}", seen.text);
        }
    }
}

#[actix_web::test]
async fn lists_previews_and_the_past_have_bodies_in_every_format() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let article = app.published("Source").await;
    let path = path_of(&article);
    let preview = editor.post(&format!("{path}/previews"), json!({})).await.expect(201);
    let token = preview.json["token"].as_str().unwrap();
    app.keep_secret(token);
    let at = article.json["published_at"].as_str().unwrap();
    for path in [
        format!("{path}?preview={token}&body_format=text"),
        format!("{path}?as_of={at}&body_format=text"),
        format!("{path}?stage=draft&body_format=text"),
    ] {
        let answer = editor.get(&path).await.expect(200);
        assert_eq!(answer.json["body"], "The bridge reopened on Monday.", "{path}");
    }
    let list = app.anonymous().get("/v1/articles?include=body&body_format=html").await.expect(200);
    assert!(list.json["data"][0]["body"].as_str().unwrap().contains("<p>The bridge reopened on Monday.</p>"));
    let list = app.anonymous().get("/v1/articles?body_format=html").await.expect(200);
    assert!(list.json["data"][0].get("body").is_none());
    let few = app.anonymous().get(&format!("{path}?body_format=text&fields=body")).await.expect(200);
    assert_eq!(few.json, json!({"body": "The bridge reopened on Monday."}));
}

#[actix_web::test]
async fn documented_formats_are_those_that_there_are() {
    let app = TestApp::start().await;
    let article = app.published("Source").await;
    let operations = operations();
    for (id, path) in [("get_article", path_of(&article)), ("list_articles", "/v1/articles".to_owned())] {
        let operation = operations.iter().find(|operation| operation.id() == id).unwrap();
        let parameter = operation.parameters("query").find(|known| known["name"] == "body_format").unwrap();
        let formats = parameter["schema"]["enum"].as_array().unwrap();
        assert_eq!(formats.len(), 4);
        assert!(formats.contains(&parameter["example"]), "{parameter}");
        for format in formats {
            app.anonymous()
                .get(&format!("{path}?body_format={}", format.as_str().unwrap()))
                .await
                .expect(200);
        }
    }
}

#[actix_web::test]
async fn the_outline_tells_words_and_minutes_of_each_section() {
    let app = TestApp::start().await;
    let long = "word ".repeat(240);
    let body = json!([
        {"blocks": [paragraph("One <em>two</em> three.")]},
        {"heading": "What next", "blocks": [paragraph(long.trim()), {"type": "divider"}]},
    ]);
    let article = app.published_with("Source", json!({ "body": body })).await;
    let answer = app.anonymous().get(&format!("{}/body", path_of(&article))).await.expect(200);
    let outline = answer.json["outline"].as_array().unwrap();
    assert_eq!((&outline[0]["word_count"], &outline[0]["reading_minutes"]), (&json!(3), &json!(1)));
    assert_eq!((&outline[1]["word_count"], &outline[1]["reading_minutes"]), (&json!(242), &json!(2)));
    assert_eq!(
        (&outline[1]["heading"], &outline[1]["anchor"], &outline[1]["level"]),
        (&json!("What next"), &json!("what-next"), &json!(2))
    );
    assert_eq!(answer.json["word_count"], 245);
    assert_eq!(answer.json["reading_minutes"], 2);
}
