//! The page of a rule: one Markdown file with fixed headings, which `twostep explain` prints, `docs/rules/` holds, and
//! whose SQL is the rule's test.

use super::RULES;
use super::rule::{Group, Rule};
use crate::dialect::Dialect;
use crate::engine::ALL_ENGINES;
use std::fmt;

/// The headings, in order. Under `Fires` stands SQL that the rule finds; under `Quiet` and `Instead`, SQL that it
/// does not.
pub const HEADINGS: [&str; 4] = ["Why", "Fires", "Quiet", "Instead"];

/// A page, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<'a> {
    /// The rule's id.
    pub title: &'a str,
    /// What it is about, in one sentence.
    pub summary: &'a str,
    /// Its parts: heading and text.
    pub sections: Vec<(&'a str, &'a str)>,
}

/// An example of a page: SQL between fences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example<'a> {
    /// The heading that it stands under.
    pub heading: &'a str,
    /// What is behind the language of the fence: `postgres`, `version=18`, `no-transaction`, `style`.
    pub words: Vec<&'a str>,
    /// The migrations, in order; the last one is judged. They are parted by lines `-- next migration`.
    pub migrations: Vec<Files>,
}

/// A migration of an example.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// Its way forward.
    pub up: String,
    /// Its way back, where a line `-- down` starts it.
    pub down: Option<String>,
}

/// What is wrong with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageError(pub String);

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a> Page<'a> {
    /// Takes `text` apart.
    pub fn parse(text: &'a str) -> Result<Self, PageError> {
        let wrong = |what: &str| PageError(what.to_owned());
        let (title, rest) = text.split_once('\n').ok_or_else(|| wrong("it has no first line"))?;
        let title = title.strip_prefix("# ").ok_or_else(|| wrong("its first line is not `# rule-id`"))?;
        let mut parts = rest.split("\n## ");
        let summary = parts.next().unwrap_or("").trim();
        if summary.is_empty() || summary.contains("\n\n") {
            return Err(wrong("below its title stands not exactly one paragraph"));
        }
        let sections: Vec<_> = parts.filter_map(|part| part.split_once('\n')).collect();
        let headings: Vec<_> = sections.iter().map(|(heading, _)| *heading).collect();
        if headings != HEADINGS {
            return Err(PageError(format!("its headings are {headings:?}, not {HEADINGS:?}")));
        }
        Ok(Self { title, summary, sections })
    }

    /// The examples, in order.
    pub fn examples(&self) -> Vec<Example<'a>> {
        self.sections.iter().flat_map(|(heading, text)| examples(heading, text)).collect()
    }
}

impl Example<'_> {
    /// The engine that it is for, where it names one.
    pub fn dialect(&self) -> Option<Dialect> {
        self.words.iter().find_map(|word| Dialect::from_word(word))
    }

    /// What stands behind `name=` among its words.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// Whether `word` is among its words.
    pub fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

/// The page of `rule` as people read it: with how bad it is, and where, below its summary.
pub fn document(rule: &Rule) -> String {
    let engines: Vec<&str> = rule.engines.iter().map(|engine| engine.title()).collect();
    let (severity, group) = (rule.severity, rule.group);
    let facts = format!("*{severity} · {}: {} · {}*", group.id(), group.title(), engines.join(", "));
    let page = rule.page;
    match page.find("\n## ") {
        Some(at) => format!("{}\n{facts}\n{}", &page[..at], &page[at..]),
        None => format!("{page}\n{facts}\n"),
    }
}

/// The list of all pages, by what harm the hazards do: `docs/rules/README.md`.
pub fn index() -> String {
    let mut out = "# Rules\n\nWhat `twostep lint` looks for. `twostep explain RULE` prints a page, and its SQL is the rule's test. Written by\n\
        `UPDATE_FIXTURES=1 cargo test --test it rule_pages` from `src/rules/`.\n\n\
        One statement is allowed with `-- twostep: allow RULE because REASON` above it; `[lint.rules]` and `[lint.paths]` in\n\
        `twostep.toml` set how bad a rule is: `off`, `note`, `warning` or `error`.\n"
        .to_owned();
    for group in Group::ALL {
        out.push_str(&format!(
            "\n## {}: {}\n\n| rule | | engines | |\n|---|---|---|---|\n",
            group.id(),
            group.title()
        ));
        for rule in RULES.iter().filter(|rule| rule.group == group) {
            let engines: Vec<&str> = rule.engines.iter().map(|engine| engine.id()).collect();
            let engines =
                if engines.len() == ALL_ENGINES.len() { "all".to_owned() } else { engines.join(", ") };
            let summary = summary(rule).replace('|', "\\|");
            out.push_str(&format!(
                "| [{}]({}.md) | {} | {engines} | {summary} |\n",
                rule.id, rule.id, rule.severity
            ));
        }
    }
    out
}

/// What `rule` is about, in one line.
pub fn summary(rule: &Rule) -> String {
    let page = Page::parse(rule.page).expect("the pages' own test takes each apart");
    page.summary.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn examples<'a>(heading: &'a str, text: &'a str) -> Vec<Example<'a>> {
    let mut found = Vec::new();
    let mut open: Option<Example<'a>> = None;
    for line in text.lines() {
        if let Some(info) = line.strip_prefix("```") {
            match open.take() {
                Some(example) => found.push(example),
                None if info.split_whitespace().next() == Some("sql") => {
                    let words = info.split_whitespace().skip(1).collect();
                    open = Some(Example { heading, words, migrations: vec![Files::default()] });
                }
                None => {}
            }
        } else if let Some(example) = &mut open {
            let Some(last) = example.migrations.last_mut() else { continue };
            match line {
                "-- next migration" => example.migrations.push(Files::default()),
                "-- down" => last.down = Some(String::new()),
                _ => {
                    let text = last.down.as_mut().unwrap_or(&mut last.up);
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_apart() {
        let text = "# some-rule\n\nWhat it is.\n\n## Why\n\nBecause.\n\n## Fires\n\n```sql postgres version=18\na;\n-- next migration\nb;\n-- down\nc;\n```\n\n## Quiet\n\n```sql\nd;\n```\n\n## Instead\n\nNothing.\n";
        let page = Page::parse(text).unwrap();
        assert_eq!((page.title, page.summary), ("some-rule", "What it is."));
        let examples = page.examples();
        assert_eq!(examples.len(), 2);
        let ups: Vec<&str> = examples[0].migrations.iter().map(|files| files.up.as_str()).collect();
        assert_eq!(ups, ["a;\n", "b;\n"]);
        assert_eq!(examples[0].migrations[1].down.as_deref(), Some("c;\n"));
        assert_eq!(
            (examples[0].dialect(), examples[0].value("version")),
            (Some(Dialect::Postgres), Some("18"))
        );
        assert_eq!(examples[1].heading, "Quiet");
        assert!(Page::parse("# a\n\nb\n\n## Why\n\nc\n").is_err());
    }
}
