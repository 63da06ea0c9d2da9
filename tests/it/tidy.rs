//! The invariants of ARCHITECTURE.md that the compiler does not keep. Each message says which line to change.

mod licences;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use source::{Literal, RustFile, files, root, rust_files};

/// The layers, lowest first. A file uses its own layer and those above it in this list.
const LAYERS: &[&[&str]] = &[
    &["text", "name", "dialect", "parallel"],
    &["sql"],
    &["source"],
    &["schema"],
    &["engine"],
    &["analysis"],
    &["evidence"],
    &["compat"],
    &["rules"],
    &["plan"],
    &["report"],
    // The world begins here: what stands above is pure.
    &["db", "files"],
    &["run"],
    &["roundtrip", "proof", "migrator", "doctor"],
    &["cli"],
    &["lib", "main"],
];

/// What a pure layer does not mention.
const WORLDLY: &[&str] =
    &["tokio", "sqlx", "std::fs", "std::net", "std::process", "std::time", "std::env", "tracing"];

/// Folders in which each file is an entry of a list.
const REGISTRIES: &[&str] = &["source", "rules", "plan", "report", "cli/commands", "run/adopt/tools"];

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|layers| layers.contains(&layer))
}

fn is_pure(file: &RustFile) -> bool {
    rank(file.layer()) < rank("db")
}

/// Runs one check over every file, and fails with all that it found.
fn holds(check: impl Fn(&RustFile) -> Vec<String>) {
    let files = rust_files();
    assert!(files.len() > 10, "only {} files found below src/", files.len());
    let found: Vec<String> = files
        .iter()
        .flat_map(|file| check(file).into_iter().map(|what| format!("src/{}: {what}", file.path)))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_layer_uses_only_what_stands_above_it() {
    holds(layers);
}

fn layers(file: &RustFile) -> Vec<String> {
    let Some(own) = rank(file.layer()) else {
        return vec![format!("stands in no layer: add `{}` to LAYERS and to ARCHITECTURE.md", file.layer())];
    };
    let used: BTreeSet<String> =
        file.crate_paths().into_iter().filter_map(|path| path.into_iter().next()).collect();
    let wrong = used.into_iter().filter(|layer| rank(layer).is_some_and(|used| used > own));
    wrong.map(|layer| format!("`{}` must not know `{layer}`, which stands below it", file.layer())).collect()
}

#[test]
fn pure_layers_do_not_touch_the_world() {
    holds(purity);
}

fn purity(file: &RustFile) -> Vec<String> {
    if !is_pure(file) {
        return Vec::new();
    }
    let code: String = file.code.split_whitespace().collect::<Vec<_>>().join(" ");
    let grouped = code.contains("use std::{");
    let mentions = WORLDLY.iter().filter(|name| is_mentioned(&code, name));
    let mut found: Vec<String> = mentions.map(|name| format!("a pure layer mentions `{name}`")).collect();
    if grouped {
        found.push("import what you use of std one by one, so that this test sees it".to_owned());
    }
    found
}

/// Whether `code` holds `path` with nothing before or behind it that would make it another name.
fn is_mentioned(code: &str, path: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(path).any(|(at, _)| {
        !is_word(code[..at].chars().next_back()) && !is_word(code[at + path.len()..].chars().next())
    })
}

#[test]
fn only_the_printer_prints() {
    holds(printing);
}

fn printing(file: &RustFile) -> Vec<String> {
    const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg", "stdout", "stderr"];
    if file.path == "cli/printer.rs" || file.path.starts_with("cli/printer/") {
        return Vec::new();
    }
    let words = file.words();
    let calls =
        words.windows(2).filter(|pair| matches!(pair[1].1, "!" | "(") && PRINTING.contains(&pair[0].1));
    // `.stdout(…)` is a child's.
    let own = calls.filter(|pair| {
        !file.code.lines().nth(pair[0].0 - 1).unwrap_or("").contains(&format!(".{}", pair[0].1))
    });
    own.map(|pair| format!("line {}: `{}`: only cli/printer.rs prints", pair[0].0, pair[0].1)).collect()
}

#[test]
fn only_lowering_knows_the_parser() {
    holds(parser);
}

fn parser(file: &RustFile) -> Vec<String> {
    let lowers = file.layer() == "engine";
    let mentions = file.words().into_iter().filter(|(_, word)| *word == "sqlparser" && !lowers);
    mentions.map(|(line, _)| format!("line {line}: `sqlparser` outside engine/")).collect()
}

#[test]
fn only_engines_know_a_dialect() {
    holds(dialects);
}

fn dialects(file: &RustFile) -> Vec<String> {
    if !["analysis", "evidence", "rules", "compat", "plan", "report"].contains(&file.layer())
        || file.path.ends_with("/tests.rs")
    {
        return Vec::new();
    }
    let words = file.words();
    // A variant, not a function such as `Dialect::from_word`.
    let is_variant = |word: &str| word.starts_with(|c: char| c.is_ascii_uppercase());
    let named = words
        .windows(3)
        .filter(|three| three[0].1 == "Dialect" && three[1].1 == "::" && is_variant(three[2].1));
    named.map(|pair| format!("line {}: asks which dialect it is: engine/ knows", pair[0].0)).collect()
}

#[test]
fn only_names_quote() {
    holds(quoting);
}

fn quoting(file: &RustFile) -> Vec<String> {
    if file.path == "name.rs" {
        return Vec::new();
    }
    let doubled = |text: &str| matches!(text, "''" | "\"\"" | "\\\"\\\"" | "``");
    // `x.replace(…, "''")` quotes; `x.replace("''", …)` reads what was quoted.
    let is_second = |at: usize| {
        let call = file.code[..at].rsplit_once("replace(").map(|(_, call)| call.trim_end());
        call.is_some_and(|call| call.ends_with(',') && !call.contains(')'))
    };
    let quotes = file.strings.iter().filter(|string| doubled(&string.text) && is_second(string.at));
    quotes.map(|string| format!("doubles a quote (`{}`): only name.rs quotes", string.text)).collect()
}

#[test]
fn only_the_journal_writes_history() {
    holds(history);
}

fn history(file: &RustFile) -> Vec<String> {
    const WRITES: &[&str] =
        &["insert into", "update ", "delete from", "create table", "alter table", "drop table"];
    if file.path.starts_with("run/journal/") {
        return Vec::new();
    }
    let writes = |string: &&Literal| {
        let text = string.text.to_lowercase();
        // A trigger's function bears our name and writes no table of ours.
        text.contains("twostep_")
            && !text.starts_with("create trigger")
            && WRITES.iter().any(|verb| text.contains(verb))
    };
    let found = file.strings.iter().filter(writes);
    found.map(|string| format!("writes a table of ours, `{}`: only run/journal/ does", string.text)).collect()
}

#[test]
fn no_rule_imports_a_rule() {
    let is_rule = |name: &str| root().join(format!("src/rules/{name}.md")).exists();
    holds(|file| rule_imports(file, &is_rule));
}

fn rule_imports(file: &RustFile, is_rule: &dyn Fn(&str) -> bool) -> Vec<String> {
    let module = file.module();
    let [folder, own, ..] = &module[..] else { return Vec::new() };
    if folder != "rules" || !is_rule(own) {
        return Vec::new();
    }
    let paths = file.crate_paths();
    let rules = paths.iter().filter_map(|path| match &path[..] {
        [rules, other, ..] if rules == "rules" && other != own && is_rule(other) => Some(other),
        _ => None,
    });
    rules
        .map(|other| format!("imports the rule `{other}`: what both need belongs beside the rules"))
        .collect()
}

#[test]
fn every_file_says_what_it_is_for() {
    let all = files(root(), &["target", ".git", "fixtures"]);
    let rust: Vec<_> = all.iter().filter(|path| path.extension().is_some_and(|e| e == "rs")).collect();
    let silent = |path: &&&PathBuf| !fs::read_to_string(path).unwrap().starts_with("//! ");
    let found: Vec<_> = rust.iter().filter(silent).collect();
    assert!(rust.len() > 20 && found.is_empty(), "begin with `//! ` and what the file is for: {found:?}");
}

#[test]
fn every_file_is_listed_in_its_folder() {
    let files = rust_files();
    holds(|file| listing(file, &files));
}

fn listing(file: &RustFile, files: &[RustFile]) -> Vec<String> {
    let module = file.module();
    let Some((name, parents)) = module.split_last() else { return Vec::new() };
    let parent = if parents.is_empty() { vec![] } else { parents.to_vec() };
    let parent_file = |other: &&RustFile| other.module() == parent && other.path != "main.rs";
    let Some(list) = files.iter().find(parent_file) else {
        return vec!["its folder has no mod.rs".to_owned()];
    };
    let mut missing = Vec::new();
    if !is_mentioned(&list.text, &format!("mod {name};")) {
        missing.push(format!("src/{} lacks the line `mod {name};`", list.path));
    }
    let folder = parents.join("/");
    let beside = |other: &&RustFile| other.module().starts_with(parents) && other.path != file.path;
    let used = files
        .iter()
        .filter(beside)
        .any(|other| other.words().windows(2).any(|pair| pair[0].1 == name && pair[1].1 == "::"));
    if REGISTRIES.contains(&folder.as_str()) && name != "tests" && !used {
        missing.push(format!("no file of src/{folder}/ has it in its list, as `{name}::…`"));
    }
    missing
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let places = ["/work", "/root", "/Users"].map(|folder| format!("{folder}/"));
    let all = files(root(), &["target", ".git"]);
    let texts = all.iter().filter_map(|path| Some((path, fs::read_to_string(path).ok()?)));
    let found: Vec<String> = texts
        .flat_map(|(path, text)| {
            machine_paths(&text, &places).into_iter().map(move |line| format!("{}:{line}", path.display()))
        })
        .collect();
    assert!(found.is_empty(), "paths that exist on one machine only:\n{}", found.join("\n"));
}

/// The numbers of the lines that name such a place, as a path from the root.
fn machine_paths(text: &str, places: &[String]) -> Vec<usize> {
    let named = |line: &str| {
        places.iter().any(|place| {
            line.match_indices(place.as_str())
                .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/~{}$".contains(c)))
        })
    };
    text.lines().enumerate().filter(|(_, line)| named(line)).map(|(at, _)| at + 1).collect()
}

/// Each check finds what it is there for, and nothing else.
#[test]
fn checks_find_what_they_are_for() {
    let at = |path: &str, text: &str| RustFile::new(path, text);
    let two = |found: Vec<String>| assert_eq!(found.len(), 2, "{found:?}");
    let none = |found: Vec<String>| assert_eq!(found, Vec::<String>::new());

    two(layers(&at(
        "schema/diff.rs",
        "use crate::{name::X, engine::{self, Y}};\nfn f() { super::super::run::go() }",
    )));
    none(layers(&at("run/x.rs", "use crate::schema::X; // crate::cli\nconst A: &str = \"crate::cli::x\";")));
    none(layers(&at("sql/x.rs", "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::cli::X;\n}\n")));
    assert_eq!(layers(&at("other/x.rs", "")).len(), 1);
    two(purity(&at("rules/x.rs", "use std::time::Instant;\nasync fn f() { tokio::spawn(g()) }")));
    none(purity(&at("rules/x.rs", "struct Tokio; use std::fmt; // std::fs")));
    none(purity(&at("db/x.rs", "use std::time::Instant;")));
    two(printing(&at("run/x.rs", "fn f() { println!(\"x\"); std::io::stderr().lock(); }")));
    none(printing(&at(
        "run/x.rs",
        "fn f() { command.stdout(Stdio::piped()); let stdout = 1; } // println!()",
    )));
    two(parser(&at("rules/x.rs", "use sqlparser::ast::A;\ntype B = sqlparser::ast::B;")));
    none(parser(&at("engine/postgres/lower.rs", "use sqlparser::ast::A;")));
    two(dialects(&at("plan/x.rs", "if d == Dialect::Postgres || d == Dialect::Sqlite {}")));
    two(quoting(&at("db/x.rs", "x.replace('\\'', \"''\"); x.replace('\"', \"\\\"\\\"\")")));
    two(quoting(&at("db/x.rs", "x.replace('`', \"``\"); x.replace(\"x\", r#\"\"\"\"#)")));
    none(quoting(&at("sql/x.rs", "x.replace(\"''\", \"'\").replace(a, b); f(x, \"''\")")));
    none(quoting(&at("name.rs", "x.replace('\\'', \"''\")")));
    two(history(&at(
        "db/x.rs",
        "(\"INSERT INTO twostep_run VALUES\", \"drop table twostep_run\", \"select * from twostep_run\")",
    )));
    none(history(&at("run/journal/write.rs", "\"INSERT INTO twostep_run VALUES\"")));
    let is_rule = |name: &str| name != "context";
    two(rule_imports(&at("rules/a.rs", "use super::b::X; use crate::rules::{c, context::Y};"), &is_rule));
    none(rule_imports(&at("rules/context.rs", "use super::b::X;"), &is_rule));
    let list =
        || vec![at("rules/mod.rs", "mod a;\nmod b;\nconst ALL: &[R] = &[a::RULE];"), at("rules/b.rs", "")];
    none(listing(&at("rules/a.rs", ""), &list()));
    assert_eq!(listing(&at("rules/b.rs", ""), &list()).len(), 1);
    two(listing(&at("rules/c.rs", ""), &list()));
    let places = ["/work".to_owned() + "/"];
    let text = format!("{p}a\n\"{p}\"\nframe{p}x\nhttps://x.org{p}y", p = places[0]);
    assert_eq!(machine_paths(&text, &places), [1, 2]);
}
