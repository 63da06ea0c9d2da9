//! A file that its tool reads otherwise than it looks.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "format-trap",
    Group::Wrong,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("format_trap.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let of_up = |path: &str| path == judged.script.path;
    let warnings = judged.migration.warnings.iter().map(|warning| {
        let at = match (of_up(&warning.path), warning.line) {
            (true, Some(line)) => At::Line(line),
            (true, None) => At::File,
            (false, _) => At::Down,
        };
        let draft = Draft::new(
            warning.what.clone(),
            "the tool whose form this is does something else than the file seems to say",
        )
        .at(at);
        match &warning.help {
            Some(help) => draft.help(help.clone()),
            None => draft,
        }
    });
    let lines = judged.places().filter_map(|place| {
        let ChangeKind::Opaque(opaque) = place.kind() else { return None };
        (opaque.reason == OpaqueReason::Client).then(|| {
            Draft::new("no server understands this: it is for a client program", opaque.why.clone())
                .help("leave it out, or write what it does as SQL")
                .at(At::Step(place.number))
        })
    });
    warnings.chain(lines).collect()
}
