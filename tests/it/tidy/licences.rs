//! The licence of every dependency is one that `deny.toml` allows, also where cargo-deny is not installed.

use std::collections::BTreeSet;
use std::process::Command;

use super::source::root;

#[test]
fn dependencies_have_allowed_licences() {
    let settings: toml::Table = std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let allowed: BTreeSet<&str> =
        settings["licenses"]["allow"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version=1", "--filter-platform", &platform])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 20, "cargo metadata names only {} packages", packages.len());

    let mut used = BTreeSet::new();
    let mut refused = Vec::new();
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("");
        match choose(licence, &allowed) {
            Some(chosen) => used.extend(chosen),
            None => refused.push(format!("{} {}: `{licence}`", package["name"], package["version"])),
        }
    }
    assert!(refused.is_empty(), "licences that deny.toml does not allow:\n{}", refused.join("\n"));
    let unused: Vec<_> = allowed.iter().filter(|id| !used.contains(**id)).collect();
    assert!(unused.is_empty(), "deny.toml allows what no dependency needs: {unused:?}");
}

/// The licences, of those allowed, by which an SPDX expression is met; none if it is not.
fn choose<'a>(expression: &str, allowed: &BTreeSet<&'a str>) -> Option<BTreeSet<&'a str>> {
    let spaced =
        expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "_WITH_");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let chosen = any_of(&words, &mut at, allowed);
    if at == words.len() { chosen } else { None }
}

fn any_of<'a>(words: &[&str], at: &mut usize, allowed: &BTreeSet<&'a str>) -> Option<BTreeSet<&'a str>> {
    let mut chosen = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        let other = all_of(words, at, allowed);
        chosen = chosen.or(other);
    }
    chosen
}

fn all_of<'a>(words: &[&str], at: &mut usize, allowed: &BTreeSet<&'a str>) -> Option<BTreeSet<&'a str>> {
    let mut chosen = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        let other = one(words, at, allowed);
        chosen = chosen.zip(other).map(|(one, other)| &one | &other);
    }
    chosen
}

fn one<'a>(words: &[&str], at: &mut usize, allowed: &BTreeSet<&'a str>) -> Option<BTreeSet<&'a str>> {
    let word = words.get(*at)?;
    *at += 1;
    if *word == "(" {
        let inside = any_of(words, at, allowed);
        *at += 1;
        return inside;
    }
    let id = word.replace("_WITH_", " WITH ");
    allowed.get(id.as_str()).map(|id| BTreeSet::from([*id]))
}

#[test]
fn licence_expressions_are_read() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]);
    let met =
        |expression| choose(expression, &allowed).map(|ids| ids.into_iter().collect::<Vec<_>>().join(","));
    assert_eq!(met("MIT OR GPL-3.0").as_deref(), Some("MIT"));
    assert_eq!(met("GPL-3.0/MIT").as_deref(), Some("MIT"));
    assert_eq!(
        met("Apache-2.0 WITH LLVM-exception OR GPL-3.0").as_deref(),
        Some("Apache-2.0 WITH LLVM-exception")
    );
    assert_eq!(met("(GPL-3.0 OR MIT) AND ISC").as_deref(), Some("ISC,MIT"));
    for not_met in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT", "", "MIT ISC"] {
        assert_eq!(met(not_met), None, "{not_met}");
    }
}
