//! Each layer imports only layers below it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// From top to bottom; what shares a row may not import each other.
const ROWS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["app"],
    &["http", "worker", "transfer"],
    &["config", "telemetry"],
    &["service"],
    &["store", "media", "render"],
    &["domain"],
];

fn row(layer: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&layer))
}

fn may_import(from: &str, to: &str) -> bool {
    let leaf = |layer| ["config", "telemetry"].contains(&layer);
    match (row(from), row(to)) {
        _ if from == to => true,
        // The settings of the log are settings too.
        (Some(_), Some(_)) if (from, to) == ("config", "telemetry") => true,
        (Some(_), Some(_)) if leaf(to) => ["main", "cli", "app"].contains(&from),
        // A setting may be a type of the layers that it sets.
        (Some(_), Some(_)) if leaf(from) => ["store", "domain"].contains(&to),
        (Some(from), Some(to)) => from < to,
        _ => false,
    }
}

/// Every source file: its layer, its path, its text without comments.
fn sources() -> Vec<(String, PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let with_text = |path: PathBuf| {
        let inside = path.strip_prefix(&root).unwrap();
        let layer = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<_> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        (layer, inside.to_owned(), code.join("\n"))
    };
    paths.into_iter().map(with_text).collect()
}

/// The modules of the crate that a text names: `crate::a::b` and `crate::{a::b, c}`.
fn imports<'a>(code: &'a str, root: &str) -> Vec<&'a str> {
    let first_name = |text: &'a str| {
        let text = text.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        &text[..end]
    };
    let mut names = Vec::new();
    for (start, _) in code.match_indices(root) {
        let rest = &code[start + root.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push(first_name(rest));
            continue;
        };
        let mut depth = 0;
        names.push(first_name(group));
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => names.push(first_name(&group[index + 1..])),
                _ => {}
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn imports_run_downwards() {
    let mut faults = Vec::new();
    for (layer, path, code) in sources().iter().filter(|(layer, ..)| layer != "lib") {
        assert!(
            row(layer).is_some(),
            "src/{}: give the layer {layer:?} a row in tests/it/layers.rs",
            path.display()
        );
        for to in imports(code, "crate::").into_iter().chain(imports(code, "masthead::")) {
            if row(to).is_some() && !may_import(layer, to) {
                faults.push(format!("src/{}: {layer} imports {to}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_layer_keeps_to_its_own() {
    // (what, where it may stand, why)
    let rules: &[(&str, &[&str], &str)] = &[
        (".transaction(", &["store"], "Store::read and Store::write open transactions"),
        (".immediate_transaction(", &["store"], "Store::write opens transactions"),
        (
            "returning(",
            &["store"],
            "RETURNING outside a transaction acknowledges rows that are never committed",
        ),
        ("diesel::", &["store"], "the store is the only place that knows SQL"),
        ("actix_web::", &["http", "app", "main", "cli"], "only the HTTP layer knows Actix"),
        ("HttpResponse", &["http"], "only the HTTP layer answers"),
    ];
    let mut faults = Vec::new();
    for (layer, path, code) in sources() {
        for (what, places, why) in rules {
            if code.contains(what) && !places.contains(&layer.as_str()) {
                faults.push(format!("src/{}: {what} ({why})", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn groups_of_imports_are_read() {
    let code = "use crate::{\n    domain::{error::Error, id::{A, B}},\n    store::tags,\n};\nfn f() { crate::service::x() }";
    assert_eq!(imports(code, "crate::"), ["domain", "store", "service"]);
}
