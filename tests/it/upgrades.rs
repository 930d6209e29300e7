//! What is there survives migrations: undone and made again, all of it reads as before.

use chrono::TimeDelta;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::BigInt};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use masthead::{
    domain::{error::Error, instant::Instant},
    store::{conn::Db, migrations::run},
};
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    newsroom::{paragraph, path_of, read_more},
};

/// Undoes migrations, the last one first, up to one and with it, and makes them again.
fn again_from(db: &mut Db, version: &str) -> Result<(), Error> {
    let migrations = |name: &str| FileBasedMigrations::from_path(format!("migrations/{name}")).unwrap();
    loop {
        let undone = match db {
            Db::Sqlite(conn) => conn.revert_last_migration(migrations("sqlite")).unwrap(),
            Db::Postgres(conn) => conn.revert_last_migration(migrations("postgres")).unwrap(),
        };
        if undone.to_string() == version {
            return run(db).map(drop);
        }
    }
}

/// How many bodies nothing shows.
async fn orphans(app: &TestApp) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let shown = |table: &str| {
        format!("SELECT 1 FROM {table} AS t WHERE t.article_id = b.article_id AND t.body_version = b.version")
    };
    let sql = format!(
        "SELECT count(*) AS number FROM article_bodies AS b WHERE NOT EXISTS ({}) AND NOT EXISTS ({})",
        shown("article_contents"),
        shown("revisions"),
    );
    let count = move |db: &mut Db| Ok(sql_query(sql).get_result::<Count>(db)?.number);
    app.newsroom.store.read(count).await.unwrap()
}

fn text(html: &str) -> Value {
    json!({"body": [{"heading": "Part", "blocks": [paragraph(html)]}]})
}

/// All that is told of an article.
async fn told(client: &Client, path: &str, at: &str) -> Vec<Value> {
    let mut told = Vec::new();
    for more in ["", "?stage=draft", "?stage=scheduled", "/revisions?limit=100", &format!("?as_of={at}")] {
        let mut answer = client.get(&format!("{path}{more}")).await;
        if let Some(problem) = answer.json.as_object_mut() {
            problem.remove("request_id");
        }
        told.push(answer.json);
    }
    let revisions = client.get(&format!("{path}/revisions?limit=100")).await.expect(200);
    for revision in revisions.json["data"].as_array().unwrap() {
        told.push(client.get(&format!("{path}/revisions/{}", revision["number"])).await.expect(200).json);
    }
    told
}

#[actix_web::test]
async fn bodies_stay_what_they_were() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let later =
        |seconds: i64| Instant::from_millis(app.newsroom.clock.now().millis() + seconds * 1000).to_string();

    // One that has changed often, with a draft that is ahead.
    let changed = path_of(&app.published_with("Bridge", text("First.")).await);
    let between = later(30);
    app.newsroom.clock.advance(TimeDelta::minutes(1));
    editor.patch(&changed, json!({"headline": "Bridge reopened"})).await.expect(200);
    editor.act(&format!("{changed}/publish")).await.expect(200);
    editor.patch(&changed, text("Second, with \"quotes\" and <em>&amp;</em> \u{1f309}.")).await.expect(200);
    editor.post(&format!("{changed}/revisions"), json!({})).await.expect(201);
    editor.patch(&changed, text("Third.")).await.expect(200);

    // One of which another version is to come, and a draft after that.
    let target = app.published("Target").await;
    let link = json!({"body": [{"blocks": [paragraph("Fourth."), read_more(&target)]}]});
    let scheduled = path_of(&app.published_with("Embargo", link).await);
    editor.patch(&scheduled, text("Fifth.")).await.expect(200);
    editor.post(&format!("{scheduled}/publish"), json!({"at": later(3_600)})).await.expect(200);
    editor.patch(&scheduled, text("Sixth.")).await.expect(200);

    // One that was taken back, one that was never public, one that is again what it was.
    let withdrawn = path_of(&app.published_with("Withdrawn", text("Seventh.")).await);
    editor.act(&format!("{withdrawn}/unpublish")).await.expect(200);
    let draft = path_of(&app.draft("Draft").await);
    editor.patch(&draft, text("Eighth.")).await.expect(200);
    let restored = path_of(&app.published_with("Restored", text("Ninth.")).await);
    editor.patch(&restored, text("Tenth.")).await.expect(200);
    editor.act(&format!("{restored}/revisions/1/restore")).await.expect(200);

    // One that was corrected, and is another now: two revisions of one text that nothing else shows.
    let corrected = path_of(&app.published_with("Corrected", text("Eleventh.")).await);
    let correction = json!({"kind": "correction", "text": "The name was misspelt."});
    editor.post(&format!("{corrected}/corrections"), correction).await.expect(201);
    editor.patch(&corrected, text("Twelfth.")).await.expect(200);
    editor.act(&format!("{corrected}/publish")).await.expect(200);

    let paths = [&changed, &scheduled, &withdrawn, &draft, &restored, &corrected];
    assert_eq!(orphans(&app).await, 0);
    let mut before = Vec::new();
    for path in paths {
        before.push(told(&editor, path, &between).await);
    }
    app.newsroom.store.write(|db| again_from(db, "00000000000012")).await.unwrap();
    assert_eq!(orphans(&app).await, 0);
    for (path, before) in paths.into_iter().zip(before) {
        assert_eq!(told(&editor, path, &between).await, before);
        // And it goes on.
        editor.patch(path, text("Last.")).await.expect(200);
        let edited = editor.get(&format!("{path}?stage=draft")).await.expect(200);
        assert_eq!(edited.json["body"][0]["blocks"][0]["html"], "Last.");
        let after = told(&editor, path, &between).await;
        assert_eq!(after[0]["body"], before[0]["body"], "readers see what they saw");
        assert_eq!(after[5..], before[5..], "revisions stay as they are");
    }
    assert_eq!(orphans(&app).await, 0);
}
