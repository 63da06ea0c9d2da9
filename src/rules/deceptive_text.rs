//! Text that looks like another one to who reads it.

use super::prelude::*;
use crate::source::Body;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "deceptive-text",
    Group::Wrong,
    Severity::Error,
    ALL_ENGINES,
    include_str!("deceptive_text.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let down = judged.migration.down.as_ref().map(|down| &down.body);
    let mut drafts: Vec<Draft> =
        places(&judged.script.body).map(|(line, what)| draft(what).at(At::Line(line))).collect();
    // One file may hold both directions.
    let own = down.filter(|down| text(down) != text(&judged.script.body));
    drafts.extend(own.into_iter().flat_map(places).take(1).map(|(_, what)| draft(what).at(At::Down)));
    drafts
}

fn draft(what: char) -> Draft {
    let (number, title) = (u32::from(what), title(what));
    Draft::new(
        format!("U+{number:04X} makes this line look other than it runs"),
        format!("it {title}, so that reviewers and the server do not read the same"),
    )
    .help("leave it out; where a value needs it, write it by its number, as `U&'\\202E'` on PostgreSQL")
}

fn text(body: &Body) -> Option<&str> {
    match body {
        Body::Sql { file, .. } | Body::Statements { file, .. } => Some(file),
        Body::LargeFile { .. } | Body::Program { .. } => None,
    }
}

/// The lines with such a character, from 1, and the first one on each.
fn places(body: &Body) -> impl Iterator<Item = (usize, char)> {
    let lines = text(body).unwrap_or_default().split('\n').enumerate();
    lines.filter_map(|(number, line)| {
        Some((number + 1, line.strip_suffix('\r').unwrap_or(line).chars().find(|one| misleads(*one))?))
    })
}

/// What turns whole words around (<https://trojansource.codes/>) or moves a terminal's cursor over them. The marks that
/// stand between single letters of right-to-left scripts are none of it.
fn misleads(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || character.is_control() && !matches!(character, '\t' | '\u{b}' | '\u{c}')
}

fn title(character: char) -> &'static str {
    if character.is_control() {
        "is a control character: terminals obey it instead of showing it"
    } else {
        "turns the direction of the text behind it"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misleads() {
        let all = |text: &str| text.chars().any(misleads);
        assert!(all("a\u{202e}b") && all("a\u{1b}[2K") && all("a\rb") && all("\u{2069}"));
        assert!(!all("\u{634}\u{200f} \u{5d0}\t\u{c} \u{200b}"));
    }
}
