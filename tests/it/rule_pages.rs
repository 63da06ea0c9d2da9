//! `docs/rules/` is what the rules say of themselves; UPDATE_FIXTURES=1 writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use twostep::rules::{RULES, page};

#[test]
fn pages_are_those_of_the_rules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let mut wanted: BTreeMap<String, String> =
        RULES.iter().map(|rule| (format!("{}.md", rule.id), page::document(rule))).collect();
    wanted.insert("README.md".to_owned(), page::index());
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        for (name, text) in &wanted {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let there: BTreeMap<String, String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    let wrong: Vec<&String> =
        wanted.iter().filter(|(name, text)| there.get(*name) != Some(text)).map(|(name, _)| name).collect();
    assert!(
        wrong.is_empty(),
        "docs/rules/ is not what the rules say (UPDATE_FIXTURES=1 writes it anew): {wrong:?}"
    );
    let left: Vec<&String> = there.keys().filter(|name| !wanted.contains_key(*name)).collect();
    assert!(left.is_empty(), "docs/rules/ has pages of no rule: {left:?}");
}
